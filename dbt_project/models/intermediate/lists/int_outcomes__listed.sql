-- One row per outcome of a scored word: what experiments are judged by, and the smallest difference worth finding.
{% set outcomes = [
    ('score', 'probability', true,
     'Probability of the right word minus the mean probability of the distractors.'),
    ('normalised_log_p', 'nats', true,
     'Logarithm of the right word among all candidates: what the word itself and confidence add to all is gone.'),
    ('margin', 'nats', true,
     'Log-probability by which the right word exceeds the strongest distractor; above zero it is ranked first.'),
    ('first_rank', 'share', true,
     'Share of words of which the right candidate is ranked first.'),
    ('bits_per_byte', 'bits', false,
     'Bits that the answer costs after the right word, per byte of the answer; needs no distractor.'),
] %}

with

final as (

    {% for outcome, unit, is_higher_better, description in outcomes %}
        select
            '{{ outcome }}' as outcome,
            '{{ unit }}' as unit,
            {{ is_higher_better | lower }} as is_higher_better,
            cast({{ var('smallest_effects')[outcome] }} as double) as smallest_effect,
            cast({{ loop.index }} as bigint) as display_order,
            '{{ description }}' as description
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

)

select * from final
