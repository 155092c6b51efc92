-- One row per document of a corpus with its token ids in order; special tokens never occur in them.
select
    corpus,
    doc_id,
    token_ids
from {{ source('raw', 'documents') }}
