-- One row per export and language.
select
    export_id,
    corpus,
    strategy,
    budget_tokens,
    lang,
    n_docs,
    n_tokens
from {{ source('raw', 'exports') }}
