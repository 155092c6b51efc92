-- One row per trace run, item, direction, definition and threshold: the behaviour beside the predictor it is held to.
-- Thresholds are NULL except in the definition `threshold_sweep`.
with

behaviours as (

    select * from {{ ref('int_behaviours__classified') }}

),

cooccurrence as (

    select * from {{ ref('int_word_pairs__directed') }}

),

thresholds as (

    {% for threshold in var('behaviour_thresholds') -%}
        select cast({{ threshold }} as double) as threshold
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

counted as (

    select
        behaviours.run_id,
        behaviours.item_id,
        behaviours.source_lang,
        behaviours.target_lang,
        behaviours.behaviour,
        behaviours.behaviour_by_threshold,
        behaviours.max_p_elsewhere,
        cooccurrence.n_docs_both,
        cooccurrence.n_docs_source,
        cooccurrence.n_docs_target
    from behaviours
    left join cooccurrence
        on
            behaviours.corpus = cooccurrence.corpus
            and behaviours.item_id = cooccurrence.item_id
            and behaviours.source_lang = cooccurrence.source_lang
            and behaviours.target_lang = cooccurrence.target_lang

),

final as (

    {% for definition, behaviour, predictor in [
        ('peak', 'behaviour', 'n_docs_both'),
        ('peak_target_frequency', 'behaviour', 'n_docs_target'),
        ('peak_source_frequency', 'behaviour', 'n_docs_source'),
        ('threshold', 'behaviour_by_threshold', 'n_docs_both'),
        ('threshold_target_frequency', 'behaviour_by_threshold', 'n_docs_target'),
        ('threshold_source_frequency', 'behaviour_by_threshold', 'n_docs_source'),
    ] -%}
        select
            run_id,
            item_id,
            source_lang,
            target_lang,
            '{{ definition }}' as definition,
            cast(null as double) as threshold,
            {{ behaviour }} as behaviour,
            {{ predictor }} as predictor
        from counted

        union all

    {% endfor -%}
    select
        counted.run_id,
        counted.item_id,
        counted.source_lang,
        counted.target_lang,
        'threshold_sweep' as definition,
        thresholds.threshold,
        case
            when counted.behaviour in ('excluded', 'unread') then counted.behaviour
            when counted.max_p_elsewhere >= thresholds.threshold then 'pivot'
            else 'cooccurrence'
        end as behaviour,
        counted.n_docs_both as predictor
    from counted
    cross join thresholds

)

select * from final
