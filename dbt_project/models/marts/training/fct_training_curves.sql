-- One row per training run and optimiser step.
with

steps as (

    select * from {{ ref('stg_training_steps') }}

),

runs as (

    select * from {{ ref('stg_runs') }}

),

final as (

    select
        steps.run_id,
        steps.step,
        runs.corpus,
        runs.experiment,
        runs.strategy,
        runs.seed,
        runs.model_id,
        runs.export_id,
        steps.n_tokens_seen,
        steps.loss,
        avg(steps.loss) over (
            partition by steps.run_id
            order by steps.step
            rows between 19 preceding and current row
        ) as loss_of_20_steps,
        steps.learning_rate,
        steps.grad_norm,
        (
            steps.n_tokens_seen
            - coalesce(lag(steps.n_tokens_seen) over (partition by steps.run_id order by steps.step), 0)
        ) / nullif(steps.step_s, 0) as tokens_per_s,
        steps.model_flops / nullif(steps.step_s * steps.measured_flops_per_s, 0) as mfu_measured,
        steps.model_flops / nullif(steps.step_s * steps.published_flops_per_s, 0) as mfu_published
    from steps
    inner join runs on steps.run_id = runs.run_id

)

select * from final
