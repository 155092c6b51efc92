-- One row per corpus and document: its kind, and what decided it.

with

document_kinds as (

    select * from {{ ref('int_document_kinds__classified') }}

)

-- the contract names the columns
select * from document_kinds -- noqa: AM04
