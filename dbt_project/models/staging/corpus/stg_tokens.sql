-- One row per tokenizer and token.
select
    tokenizer_hash,
    token_id,
    token,
    n_bytes,
    script,
    is_special,
    is_blank
from {{ source('raw', 'tokens') }}
