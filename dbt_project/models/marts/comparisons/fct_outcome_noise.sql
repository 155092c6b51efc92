-- One row per experiment, outcome and word split: how far trained strategies lie apart, and how far seeds of one do.
with

runs as (

    select * from {{ ref('int_arm_runs__deduplicated') }}
    where kind = 'score' and seed is not null

),

averaged as (

    select * from {{ ref('int_outcomes__averaged') }}

),

of_runs as (

    select
        runs.experiment,
        runs.strategy,
        averaged.outcome,
        averaged.word_split,
        averaged.value
    from runs
    inner join averaged on runs.run_id = averaged.run_id

),

of_strategies as (

    select
        experiment,
        strategy,
        outcome,
        word_split,
        count(*) as n_runs,
        {{ exact_avg('value') }} as value
    from of_runs
    group by experiment, strategy, outcome, word_split

),

within_strategies as (

    select
        of_runs.experiment,
        of_runs.outcome,
        of_runs.word_split,
        {{ exact_sum('power(of_runs.value - of_strategies.value, 2)') }} as seeds_squares
    from of_runs
    inner join of_strategies
        on
            of_runs.experiment = of_strategies.experiment
            and of_runs.strategy = of_strategies.strategy
            and of_runs.outcome = of_strategies.outcome
            and of_runs.word_split = of_strategies.word_split
    group by of_runs.experiment, of_runs.outcome, of_runs.word_split

),

means as (

    select
        experiment,
        outcome,
        word_split,
        count(*) as n_strategies,
        cast(sum(n_runs) as bigint) as n_runs,
        {{ exact_avg('value') }} as value
    from of_strategies
    group by experiment, outcome, word_split

),

between_strategies as (

    select
        of_strategies.experiment,
        of_strategies.outcome,
        of_strategies.word_split,
        {{ exact_sum('power(of_strategies.value - means.value, 2)') }} as strategies_squares
    from of_strategies
    inner join means
        on
            of_strategies.experiment = means.experiment
            and of_strategies.outcome = means.outcome
            and of_strategies.word_split = means.word_split
    group by of_strategies.experiment, of_strategies.outcome, of_strategies.word_split

),

spread as (

    select
        means.experiment,
        means.outcome,
        means.word_split,
        means.n_strategies,
        means.n_runs,
        sqrt(between_strategies.strategies_squares / nullif(means.n_strategies - 1, 0)) as strategies_spread,
        sqrt(within_strategies.seeds_squares / nullif(means.n_runs - means.n_strategies, 0)) as seeds_spread
    from means
    inner join between_strategies
        on
            means.experiment = between_strategies.experiment
            and means.outcome = between_strategies.outcome
            and means.word_split = between_strategies.word_split
    inner join within_strategies
        on
            means.experiment = within_strategies.experiment
            and means.outcome = within_strategies.outcome
            and means.word_split = within_strategies.word_split

),

final as (

    select
        experiment,
        outcome,
        word_split,
        n_strategies,
        n_runs,
        strategies_spread,
        seeds_spread,
        strategies_spread / nullif(seeds_spread, 0) as signal_to_noise,
        {{ is_summary(['word_split']) }} as is_summary
    from spread

)

select * from final
