-- One row per document, word of the list and place where it begins, as the index of a token.
select
    corpus,
    doc_id,
    word_id,
    {{ unnest_column('token_starts') }} as token_start
from {{ source('raw', 'word_documents') }}
where match_policy = 'text'
