-- One row per run of any kind: what was asked, of what, with which code.
select
    run_id,
    kind,
    corpus,
    experiment,
    strategy,
    seed,
    model_id,
    export_id,
    git_commit,
    config_hash,
    config,
    inputs,
    tokenizer_hash,
    model_series,
    model_step,
    n_tokens_seen,
    versions,
    started_at,
    finished_at
from {{ source('raw', 'runs') }}
