-- One row per corpus and document: its kind, and what decided it.
{{ config(materialized=stored_or_shown()) }}

with

document_kinds as (

    select * from {{ ref('int_document_kinds__classified') }}

),

final as (

    select
        corpus,
        doc_id,
        lang,
        n_tokens,
        is_eligible,
        document_kind,
        kind_score,
        main_lang,
        second_lang,
        second_lang_share,
        interleaving,
        n_switches,
        n_pairable_words,
        translated_share
    from document_kinds

)

select * from final
