-- Held-out documents measure forgetting: training on one of them, or on a copy, would hide it.
{{ config(group='selection') }}

with

wrong_documents as (

    select numbered.document_number
    from {{ ref('int_eligible_documents__numbered') }} as numbered
    inner join {{ ref('dim_documents') }} as documents
        on
            numbered.corpus = documents.corpus
            and numbered.doc_id = documents.doc_id
    where documents.is_held_out or documents.is_duplicate

)

select
    selected.strategy,
    selected.document_number
from {{ ref('int_strategy_documents__budgeted') }} as selected
inner join wrong_documents on selected.document_number = wrong_documents.document_number
