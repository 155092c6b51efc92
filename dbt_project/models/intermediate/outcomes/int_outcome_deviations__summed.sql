-- One row per pair of arms, outcome, class of words, word split, direction (and all/all), item and seed: by how much
-- the cell moves the mean difference, its weight in that mean times its distance from it. The cells of a mean sum to 0.
with

deltas as (

    select * from {{ ref('int_outcome_deltas__itemised') }}

),

words as (

    select * from {{ ref('int_outcome_words__averaged') }}

),

means as (

    select * from {{ ref('int_outcome_deltas__averaged') }}

),

{% set pair = ['experiment', 'strategy', 'baseline', 'null_round', 'outcome'] %}
{% set scope = pair + ['word_class', 'class_value', 'word_split'] %}

-- every seed of every word, in each of its scopes
cells as (

    select
        words.experiment,
        words.strategy,
        words.baseline,
        words.null_round,
        words.outcome,
        words.word_class,
        words.class_value,
        words.word_split,
        words.item_id,
        words.source_lang,
        words.target_lang,
        words.n_seeds,
        deltas.seed,
        deltas.delta
    from words
    inner join deltas
        on
            {% for key in pair + ['item_id', 'source_lang', 'target_lang'] %}
                words.{{ key }} = deltas.{{ key }}
                {% if not loop.last %}and{% endif %}
            {% endfor %}

),

of_directions as (

    select
        {% for key in scope %}
            cells.{{ key }},
        {% endfor %}
        cells.source_lang,
        cells.target_lang,
        cells.item_id,
        cells.seed,
        (cells.delta - means.delta) / (cells.n_seeds * means.n_words) as deviation
    from cells
    inner join means
        on
            {% for key in scope + ['source_lang', 'target_lang'] %}
                cells.{{ key }} = means.{{ key }}
                {% if not loop.last %}and{% endif %}
            {% endfor %}

),

over_directions as (

    select
        {% for key in scope %}
            of_directions.{{ key }},
        {% endfor %}
        'all' as source_lang,
        'all' as target_lang,
        of_directions.item_id,
        of_directions.seed,
        {{ exact_sum('of_directions.deviation / means.n_directions') }} as deviation
    from of_directions
    inner join means
        on
            {% for key in scope %}
                of_directions.{{ key }} = means.{{ key }}
                and
            {% endfor %}
            means.source_lang = 'all'
    group by
        {% for key in scope %}
            of_directions.{{ key }},
        {% endfor %}
        of_directions.item_id,
        of_directions.seed

),

of_classes as (

    select
        {% for key in scope %}
            cells.{{ key }},
        {% endfor %}
        'all' as source_lang,
        'all' as target_lang,
        cells.item_id,
        cells.seed,
        {{ exact_sum('(cells.delta - means.delta) / (cells.n_seeds * means.n_words)') }} as deviation
    from cells
    inner join means
        on
            {% for key in scope %}
                cells.{{ key }} = means.{{ key }}
                and
            {% endfor %}
            means.source_lang = 'all'
    where cells.word_class <> 'all'
    group by
        {% for key in scope %}
            cells.{{ key }},
        {% endfor %}
        cells.item_id,
        cells.seed

),

final as (

    select * from of_directions
    union all
    select * from over_directions
    union all
    select * from of_classes

)

select * from final
