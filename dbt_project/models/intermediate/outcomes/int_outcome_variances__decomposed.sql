-- One row per pair of arms, outcome, class of words, word split and direction (and all/all): the mean squares of a
-- two-way layout of items and seeds, of differences. Missing cells deviate by nothing.
with

{% set scope = [
    'experiment', 'strategy', 'baseline', 'null_round', 'outcome', 'word_class', 'class_value', 'word_split',
    'source_lang', 'target_lang'
] %}

deviations as (

    select * from {{ ref('int_outcome_deviations__summed') }}

),

sizes as (

    select
        {{ scope | join(', ') }},
        count(distinct item_id) as n_items,
        count(distinct seed) as n_seeds
    from deviations
    group by {{ scope | join(', ') }}

),

-- on the scale of a difference: what a cell of a full layout is away from the mean
scaled as (

    select
        {% for key in scope %}
            deviations.{{ key }},
        {% endfor %}
        deviations.item_id,
        deviations.seed,
        sizes.n_items,
        sizes.n_seeds,
        deviations.deviation * sizes.n_items * sizes.n_seeds as deviation
    from deviations
    inner join sizes
        on
            {% for key in scope %}
                deviations.{{ key }} = sizes.{{ key }}
                {% if not loop.last %}and{% endif %}
            {% endfor %}

),

{% for side, other in [('item_id', 'n_seeds'), ('seed', 'n_items')] %}
    sums_of_{{ side }} as (

        select
            {{ scope | join(', ') }},
            power({{ exact_sum('deviation') }}, 2) / max({{ other }}) as square
        from scaled
        group by {{ scope | join(', ') }}, {{ side }}

    ),

    squares_of_{{ side }} as (

        select
            {{ scope | join(', ') }},
            {{ exact_sum('square') }} as sum_of_squares
        from sums_of_{{ side }}
        group by {{ scope | join(', ') }}

    ),
{% endfor %}

squares as (

    select
        {{ scope | join(', ') }},
        max(n_items) as n_items,
        max(n_seeds) as n_seeds,
        {{ exact_sum('power(deviation, 2)') }} as sum_of_squares
    from scaled
    group by {{ scope | join(', ') }}

),

final as (

    select
        {% for key in scope %}
            squares.{{ key }},
        {% endfor %}
        squares.n_items,
        squares.n_seeds,
        squares_of_item_id.sum_of_squares / nullif(squares.n_items - 1, 0) as items_mean_square,
        squares_of_seed.sum_of_squares / nullif(squares.n_seeds - 1, 0) as seeds_mean_square,
        greatest(squares.sum_of_squares - squares_of_item_id.sum_of_squares - squares_of_seed.sum_of_squares, 0)
        / nullif((squares.n_items - 1) * (squares.n_seeds - 1), 0) as error_mean_square
    from squares
    {% for side in ['item_id', 'seed'] %}
        inner join squares_of_{{ side }}
            on
                {% for key in scope %}
                    squares.{{ key }} = squares_of_{{ side }}.{{ key }}
                    {% if not loop.last %}and{% endif %}
                {% endfor %}
    {% endfor %}

)

select * from final
