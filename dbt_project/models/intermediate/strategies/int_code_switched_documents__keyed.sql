-- One row per corpus and eligible document: code_switched ones first, then those in one language, then others, each in
-- random order. Other documents of two languages come in only where a language has nothing else, such as the documents
-- of a mixed code: MonoWeb (arXiv 2601.00364) also keeps one kind of the bilingual documents at a time.

with

document_kinds as (

    select * from {{ ref('int_document_kinds__classified') }}
    where is_eligible

),

final as (

    select
        corpus,
        doc_id,
        case document_kind
            when 'code_switched' then 0
            when 'monolingual' then 1
            else 2
        end + {{ hash_unit('doc_id', 'code_switched:' ~ var('selection_seed')) }} as sort_key
    from document_kinds

)

select * from final
