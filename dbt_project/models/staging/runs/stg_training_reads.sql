-- One row per training run, step, sequence in it and document that it holds a part of.
select
    run_id,
    step,
    sequence,
    doc_id,
    first_token,
    n_tokens
from {{ source('raw', 'training_reads') }}
