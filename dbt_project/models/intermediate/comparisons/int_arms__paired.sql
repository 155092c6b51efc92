-- One row per kind of run, experiment, strategy, baseline and seed: the two runs that are compared.
-- Both read the same corpus. A baseline of the same seed is preferred; one without (the untrained model) stands for
-- every seed.
with

arms as (

    select * from {{ ref('int_arm_runs__deduplicated') }}

),

strategies as (

    select * from {{ ref('int_strategies__listed') }}

),

baselines as (

    select arms.*
    from arms
    inner join strategies
        on
            arms.strategy = strategies.strategy
            and strategies.is_baseline

),

paired as (

    select
        arms.kind,
        arms.experiment,
        arms.strategy,
        baselines.strategy as baseline,
        arms.seed,
        arms.corpus,
        arms.run_id,
        baselines.run_id as baseline_run_id,
        row_number() over (
            partition by arms.kind, arms.experiment, arms.strategy, baselines.strategy, arms.seed
            order by case when baselines.seed is null then 1 else 0 end, arms.corpus, baselines.run_id
        ) as preference
    from arms
    inner join baselines
        on
            arms.kind = baselines.kind
            and arms.experiment = baselines.experiment
            and arms.corpus = baselines.corpus
            and arms.strategy <> baselines.strategy
            and (arms.seed = baselines.seed or baselines.seed is null)
    where arms.strategy <> 'base'

),

final as (

    select
        kind,
        experiment,
        strategy,
        baseline,
        seed,
        corpus,
        run_id,
        baseline_run_id
    from paired
    where preference = 1

)

select * from final
