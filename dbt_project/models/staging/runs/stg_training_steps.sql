-- One row per training run and optimiser step.
select
    run_id,
    step,
    n_tokens_seen,
    loss,
    learning_rate,
    grad_norm,
    step_s,
    model_flops,
    measured_flops_per_s,
    published_flops_per_s
from {{ source('raw', 'training_steps') }}
