-- One row per document of a corpus, with what decides whether it is selected from, held out, or neither.

with

documents as (

    select * from {{ ref('stg_documents') }}

),

first_copies as (

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
        n_tokens,
        {{ hash_unit('content_hash', 'held_out') }} as held_out_draw,
        row_number() over (partition by corpus, content_hash order by doc_id) > 1 as is_duplicate
    from documents

),

-- held out by text, not by id: two copies of a text never stand on both sides
final as (

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
        n_tokens,
        is_duplicate,
        not is_duplicate
        and n_tokens >= {{ var('min_document_tokens') }}
        and held_out_draw < {{ var('held_out_share') }} as is_held_out,
        not is_duplicate
        and n_tokens >= {{ var('min_document_tokens') }}
        and held_out_draw >= {{ var('held_out_share') }} as is_eligible
    from first_copies

)

select * from final
