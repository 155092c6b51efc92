-- One row per held-out run and language: loss, and its change against the untrained model of the same experiment.
with

losses as (

    select
        *,
        nll_sum / nullif(n_tokens, 0) as loss,
        nll_sum / nullif(n_bytes, 0) / ln(2) as bits_per_byte
    from {{ ref('stg_held_out_losses') }}

),

runs as (

    select * from {{ ref('stg_runs') }}

),

pairs as (

    select * from {{ ref('int_arms__paired') }}
    where kind = 'held_out' and baseline = 'base'

),

final as (

    select
        losses.run_id,
        losses.lang,
        runs.corpus,
        runs.experiment,
        runs.strategy,
        runs.seed,
        runs.model_id,
        losses.n_docs,
        losses.n_tokens,
        losses.n_bytes,
        losses.loss,
        losses.bits_per_byte,
        losses.loss - base_losses.loss as loss_delta,
        losses.bits_per_byte - base_losses.bits_per_byte as bits_per_byte_delta
    from losses
    inner join runs on losses.run_id = runs.run_id
    left join pairs on losses.run_id = pairs.run_id
    left join losses as base_losses
        on
            pairs.baseline_run_id = base_losses.run_id
            and losses.lang = base_losses.lang

)

select * from final
