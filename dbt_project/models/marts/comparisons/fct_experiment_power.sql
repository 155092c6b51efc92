-- One row per preset, outcome, word split and number of seeds: what an experiment of that size could see, from how much
-- trained arms differed in earlier experiments of the preset.
with

tested as (

    select * from {{ ref('int_outcome_deltas__tested') }}
    where
        null_round = 0
        and source_lang = 'all'
        and word_class = 'all'
        and baseline <> 'base' -- which is the same model for every seed
        and standard_error is not null

),

experiments as (

    select * from {{ ref('int_experiments__declared') }}

),

outcomes as (

    select * from {{ ref('int_outcomes__listed') }}

),

observed as (

    select
        experiments.preset,
        tested.outcome,
        tested.word_split,
        count(distinct tested.experiment) as n_experiments,
        count(*) as n_comparisons,
        cast({{ quantile('tested.n_items', 0.5) }} as double) as n_items,
        {{ exact_avg('tested.words_square') }} as words_square,
        {{ exact_avg('tested.training_square * tested.n_seeds') }} as training_square
    from tested
    inner join experiments on tested.experiment = experiments.experiment
    group by experiments.preset, tested.outcome, tested.word_split

),

planned_seeds as (

    {{ integer_series(var('max_planned_seeds'), 'n_seeds') }}

),

planned as (

    select
        observed.preset,
        observed.outcome,
        observed.word_split,
        cast(planned_seeds.n_seeds as bigint) as n_seeds,
        observed.n_experiments,
        observed.n_comparisons,
        observed.n_items,
        observed.words_square + observed.training_square / planned_seeds.n_seeds as square,
        power(observed.words_square, 2) / (observed.n_items - 1)
        + power(observed.training_square / planned_seeds.n_seeds, 2) / (planned_seeds.n_seeds - 1) as square_of_squares
    from observed
    inner join planned_seeds on planned_seeds.n_seeds > 1

),

powered as (

    select
        *,
        greatest(power(square, 2) / nullif(square_of_squares, 0), 1.0e0) as degrees
    from planned

),

final as (

    select
        powered.preset,
        powered.outcome,
        powered.word_split,
        powered.n_seeds,
        powered.n_experiments,
        powered.n_comparisons,
        powered.n_items,
        sqrt(powered.square) as standard_error,
        {{ detectable_effect('sqrt(powered.square)', 'powered.degrees') }} as detectable_effect,
        outcomes.smallest_effect,
        {{ is_summary(['powered.word_split']) }} as is_summary
    from powered
    inner join outcomes on powered.outcome = outcomes.outcome

)

select * from final
