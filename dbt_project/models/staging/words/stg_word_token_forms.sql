-- One row per tokenizer, word and form (bare, spaced): how the tokenizer writes the word.
select
    tokenizer_hash,
    word_id,
    form,
    token_ids
from {{ source('raw', 'word_token_forms') }}
