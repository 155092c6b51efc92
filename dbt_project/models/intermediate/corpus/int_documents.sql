-- One row per document of a corpus, with what decides whether it may be ranked and selected.

with documents as (

    select * from {{ ref('stg_documents') }}

),

-- held out by text, not by id: two copies of a text never stand on both sides
classified as (

    select
        corpus,
        doc_id,
        source_id,
        source,
        source_file,
        line_number,
        lang,
        lang_source,
        content_hash,
        n_chars,
        n_bytes,
        n_tokens,
        {{ hash_unit('content_hash', 'held_out') }} < {{ var('held_out_share') }} as is_held_out,
        row_number() over (partition by corpus, content_hash order by doc_id) > 1 as is_duplicate
    from documents

),

final as (

    select
        *,
        not is_duplicate and n_tokens >= {{ var('min_document_tokens') }} as is_eligible
    from classified

)

select * from final
