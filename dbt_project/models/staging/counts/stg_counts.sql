-- One row per counted corpus: what was counted, and how.
select
    corpus,
    count_id,
    unit,
    n_units,
    n_tokens,
    options,
    run_id
from {{ source('raw', 'counts') }}
