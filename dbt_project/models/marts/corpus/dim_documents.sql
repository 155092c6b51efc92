-- One row per corpus and document.

with

documents as (

    select * from {{ ref('int_documents__deduplicated') }}

),

final as (

    select
        corpus,
        doc_id,
        cast(doc_id as string) as doc_key,
        lang,
        n_tokens,
        n_chars,
        n_bytes,
        source,
        source_id,
        source_file,
        line_number,
        lang_source,
        instance_lang,
        other_lang_share,
        content_hash,
        is_duplicate,
        is_held_out,
        is_eligible
    from documents

)

select * from final
