-- One row per corpus and document in one language alone: its key, at random.

with

document_kinds as (

    select * from {{ ref('int_document_kinds__classified') }}
    where is_eligible

),

final as (

    select
        corpus,
        doc_id,
        {{ hash_unit('doc_id', 'no_mixed:' ~ var('selection_seed')) }} as sort_key
    from document_kinds
    where document_kind = 'monolingual'

)

select * from final
