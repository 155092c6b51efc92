-- One row per document and word of the list that occurs in it, by the text policy (method section 1).
select
    corpus,
    doc_id,
    word_id,
    n_matches,
    token_starts
from {{ source('raw', 'word_documents') }}
where match_policy = 'text'
