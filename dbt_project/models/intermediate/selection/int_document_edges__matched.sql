-- One row per corpus, eligible document and edge that it contains: a token of the default pivot set and one of its
-- strongest neighbours in a language (the first coverage_neighbours_per_language), both anywhere in the document.

with

pivot_tokens as (

    select
        corpus,
        token_id
    from {{ ref('int_pivot_tokens__selected') }}
    where is_default

),

edges as (

    select
        neighbours.corpus,
        neighbours.token_id,
        neighbours.neighbour_id
    from {{ ref('int_token_neighbours__ranked') }} as neighbours
    inner join pivot_tokens
        on
            neighbours.corpus = pivot_tokens.corpus
            and neighbours.token_id = pivot_tokens.token_id
    where
        neighbours.graph = 'bridge'
        and neighbours.neighbour_lang is not null
        and neighbours.neighbour_rank_in_lang <= {{ var('coverage_neighbours_per_language') }}

),

end_tokens as (

    select
        corpus,
        token_id
    from edges

    union -- noqa: AM02

    select
        corpus,
        neighbour_id as token_id
    from edges

),

documents as (

    select * from {{ ref('int_eligible_documents__numbered') }}

),

unnested as (

    select
        documents.corpus,
        documents.document_number,
        {{ unnest_column('document_tokens.token_ids') }} as token_id
    from {{ ref('stg_document_tokens') }} as document_tokens
    inner join documents
        on
            document_tokens.corpus = documents.corpus
            and document_tokens.doc_id = documents.doc_id

),

-- few tokens are ends of an edge: the others leave before anything is grouped
document_ends as (

    select distinct
        unnested.corpus,
        unnested.document_number,
        unnested.token_id
    from unnested
    inner join end_tokens
        on
            unnested.corpus = end_tokens.corpus
            and unnested.token_id = end_tokens.token_id

),

-- a pivot asks for its few neighbours, each once: pivots joined with neighbours by document would meet all pairs of
-- them, which long documents have by the million
contained as (

    select
        pivots.document_number,
        edges.token_id,
        edges.neighbour_id
    from document_ends as pivots
    inner join edges
        on
            pivots.corpus = edges.corpus
            and pivots.token_id = edges.token_id
    inner join document_ends as neighbours
        on
            pivots.document_number = neighbours.document_number
            and edges.neighbour_id = neighbours.token_id

),

final as (

    select
        documents.corpus,
        documents.doc_id,
        documents.lang,
        documents.n_tokens,
        contained.token_id,
        contained.neighbour_id
    from contained
    inner join documents on contained.document_number = documents.document_number

)

select * from final
