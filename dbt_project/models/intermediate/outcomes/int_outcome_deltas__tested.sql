-- One row per pair of arms, outcome, class of words, word split and direction (and all/all): the mean difference, its
-- interval over items and seeds together, and what the comparison could have found. method.md section 6.
with

{% set scope = [
    'experiment', 'strategy', 'baseline', 'null_round', 'outcome', 'word_class', 'class_value', 'word_split',
    'source_lang', 'target_lang'
] %}

means as (

    select * from {{ ref('int_outcome_deltas__averaged') }}

),

variances as (

    select * from {{ ref('int_outcome_variances__decomposed') }}

),

outcomes as (

    select * from {{ ref('int_outcomes__listed') }}

),

experiments as (

    select * from {{ ref('int_experiments__declared') }}

),

-- what differs by item and what by seed both count; what both hold, the error, counts once
crossed as (

    select
        *,
        greatest(
            items_mean_square + seeds_mean_square - error_mean_square, items_mean_square, seeds_mean_square
        ) as mean_square,
        power(items_mean_square, 2) / (n_items - 1)
        + power(seeds_mean_square, 2) / (n_seeds - 1)
        + power(error_mean_square, 2) / ((n_items - 1) * (n_seeds - 1)) as square_of_mean_squares
    from variances
    where n_items > 1 and n_seeds > 1

),

errors as (

    select
        *,
        sqrt(mean_square / (n_items * n_seeds)) as crossed_error,
        greatest(power(mean_square, 2) / nullif(square_of_mean_squares, 0), 1.0e0) as crossed_degrees, -- Satterthwaite
        sqrt(items_mean_square / (n_items * n_seeds)) as items_error,
        cast(n_items - 1 as double) as items_degrees,
        sqrt(seeds_mean_square / (n_items * n_seeds)) as seeds_error,
        cast(n_seeds - 1 as double) as seeds_degrees,
        -- the part that more seeds of the same words leave as it is
        greatest(items_mean_square - error_mean_square, 0) / (n_items * n_seeds) as words_square
    from crossed
    where mean_square > 0

),

-- with two or three seeds Satterthwaite's degrees of freedom are too many at times: never narrower than over seeds
widest as (

    select
        *,
        {{ t_quantile('crossed_degrees', 0.975) }} * crossed_error
        >= {{ t_quantile('seeds_degrees', 0.975) }} * seeds_error as is_crossed
    from errors

),

chosen as (

    select
        *,
        case when is_crossed then crossed_error else seeds_error end as standard_error,
        case when is_crossed then crossed_degrees else seeds_degrees end as degrees
    from widest

),

compared as (

    select
        {% for key in scope %}
            means.{{ key }},
        {% endfor %}
        means.n_words,
        means.value,
        means.baseline_value,
        means.delta,
        variances.n_items,
        variances.n_seeds,
        chosen.standard_error,
        chosen.degrees,
        chosen.items_error,
        chosen.items_degrees,
        chosen.seeds_error,
        chosen.seeds_degrees,
        chosen.words_square,
        chosen.mean_square / (variances.n_items * variances.n_seeds) - chosen.words_square as training_square,
        outcomes.is_higher_better,
        case
            when experiments.primary_outcome = means.outcome
                then coalesce(experiments.smallest_effect, outcomes.smallest_effect)
            else outcomes.smallest_effect
        end as smallest_effect
    from means
    inner join variances
        on
            {% for key in scope %}
                means.{{ key }} = variances.{{ key }}
                {% if not loop.last %}and{% endif %}
            {% endfor %}
    inner join outcomes on means.outcome = outcomes.outcome
    inner join experiments on means.experiment = experiments.experiment
    left join chosen
        on
            {% for key in scope %}
                means.{{ key }} = chosen.{{ key }}
                {% if not loop.last %}and{% endif %}
            {% endfor %}

),

planned_seeds as (

    {{ integer_series(var('max_planned_seeds'), 'n_planned_seeds') }}

),

-- the error that as many seeds would leave, with its degrees of freedom
planned as (

    select
        {% for key in scope %}
            compared.{{ key }},
        {% endfor %}
        compared.smallest_effect,
        planned_seeds.n_planned_seeds,
        compared.words_square
        + compared.training_square * compared.n_seeds / planned_seeds.n_planned_seeds as square,
        power(compared.words_square, 2) / compared.items_degrees
        + power(compared.training_square * compared.n_seeds / planned_seeds.n_planned_seeds, 2)
        / (planned_seeds.n_planned_seeds - 1) as square_of_squares
    from compared
    inner join planned_seeds on planned_seeds.n_planned_seeds > 1
    where
        compared.null_round = 0
        and compared.source_lang = 'all'
        and compared.standard_error is not null

),

powered as (

    select
        *,
        greatest(power(square, 2) / nullif(square_of_squares, 0), 1.0e0) as degrees
    from planned

),

seeds_needed as (

    select
        {{ scope | join(', ') }},
        cast(min(n_planned_seeds) as bigint) as n_seeds_needed
    from powered
    where {{ detectable_effect('sqrt(square)', 'degrees') }} <= smallest_effect
    group by {{ scope | join(', ') }}

),

final as (

    select
        {% for key in scope %}
            compared.{{ key }},
        {% endfor %}
        compared.n_words,
        compared.n_items,
        compared.n_seeds,
        compared.value,
        compared.baseline_value,
        compared.delta,
        compared.is_higher_better,
        compared.standard_error,
        compared.degrees,
        compared.words_square,
        compared.training_square,
        compared.delta - {{ t_quantile('compared.degrees', 0.975) }} * compared.standard_error as ci_low,
        compared.delta + {{ t_quantile('compared.degrees', 0.975) }} * compared.standard_error as ci_high,
        {{ t_p_value('(compared.delta / compared.standard_error)', 'compared.degrees') }} as p_value,
        {{ t_p_value('(compared.delta / nullif(compared.items_error, 0))', 'compared.items_degrees') }}
            as items_p_value,
        {{ t_p_value('(compared.delta / nullif(compared.seeds_error, 0))', 'compared.seeds_degrees') }}
            as seeds_p_value,
        compared.smallest_effect,
        -- two one-sided tests at 5 %: the 90 % interval lies within the smallest effect on both sides
        abs(compared.delta) + {{ t_quantile('compared.degrees', 0.95) }} * compared.standard_error
        < compared.smallest_effect as is_equivalent,
        {{ detectable_effect('compared.standard_error', 'compared.degrees') }} as detectable_effect,
        seeds_needed.n_seeds_needed
    from compared
    left join seeds_needed
        on
            {% for key in scope %}
                compared.{{ key }} = seeds_needed.{{ key }}
                {% if not loop.last %}and{% endif %}
            {% endfor %}

)

select * from final
