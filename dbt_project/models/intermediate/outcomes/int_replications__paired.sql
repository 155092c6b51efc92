-- One row per experiment, strategy, baseline, round and seed: two runs that scored the same words.
-- Round 0 holds two strategies. The others hold one strategy against itself, seeds against other seeds: whatever a test
-- finds there is a false alarm. In round r meet the seeds whose numbers sum to r, modulo their count: every seed once.
with

arms as (

    select * from {{ ref('int_arms__paired') }}
    where kind = 'score'

),

runs as (

    select * from {{ ref('int_arm_runs__deduplicated') }}
    where kind = 'score' and seed is not null

),

numbered as (

    select
        *,
        row_number() over (partition by experiment, strategy order by seed, corpus) - 1 as number,
        count(*) over (partition by experiment, strategy) as n_seeds
    from runs

),

-- two pairs of seeds, the fewest that a test can use, take four of them
against_itself as (

    select
        earlier.experiment,
        earlier.strategy,
        earlier.strategy as baseline,
        1 + (earlier.number + later.number) % earlier.n_seeds as null_round,
        earlier.seed,
        earlier.corpus,
        earlier.run_id,
        later.run_id as baseline_run_id
    from numbered as earlier
    inner join numbered as later
        on
            earlier.experiment = later.experiment
            and earlier.strategy = later.strategy
            and earlier.number < later.number
    where earlier.n_seeds >= 4

),

final as (

    select
        experiment,
        strategy,
        baseline,
        cast(0 as bigint) as null_round,
        coalesce(seed, -1) as seed, -- a lonely arm that stands for every seed
        corpus,
        run_id,
        baseline_run_id
    from arms

    union all

    select
        experiment,
        strategy,
        baseline,
        cast(null_round as bigint) as null_round,
        seed,
        corpus,
        run_id,
        baseline_run_id
    from against_itself

)

select * from final
