-- One row per run and language of held-out documents.
select
    run_id,
    lang,
    n_docs,
    n_tokens,
    n_bytes,
    nll_sum
from {{ source('raw', 'held_out_losses') }}
