-- One row per corpus.
select
    corpus,
    tokenizer_hash,
    tokenizer_name,
    vocab_size,
    eos_token_id
from {{ source('raw', 'corpora') }}
