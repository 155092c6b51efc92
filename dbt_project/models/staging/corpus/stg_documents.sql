-- One row per document of a corpus, superseded ones left out; without its tokens (see stg_document_tokens).
select
    corpus,
    doc_id,
    source_id,
    source,
    source_file,
    line_number,
    lang,
    lang_source,
    instance_lang,
    other_lang_share,
    content_hash,
    n_chars,
    n_bytes,
    n_tokens
from {{ source('raw', 'documents') }}
