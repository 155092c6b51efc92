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

-- both ends of every edge. Counting the ends that a document holds meets each of its tokens once; joining its pivots
-- with its neighbours meets all pairs of them, which long documents have by the million
ends as (

    select
        corpus,
        token_id as end_id,
        token_id,
        neighbour_id
    from edges

    union all

    select
        corpus,
        neighbour_id as end_id,
        token_id,
        neighbour_id
    from edges

),

documents as (

    select * from {{ ref('int_documents__deduplicated') }}
    where is_eligible

),

unnested as (

    select
        corpus,
        doc_id,
        {{ unnest_column('token_ids') }} as token_id
    from {{ ref('stg_document_tokens') }}

),

document_tokens as (

    select distinct
        corpus,
        doc_id,
        token_id
    from unnested

),

contained as (

    select
        document_tokens.corpus,
        document_tokens.doc_id,
        ends.token_id,
        ends.neighbour_id
    from document_tokens
    inner join ends
        on
            document_tokens.corpus = ends.corpus
            and document_tokens.token_id = ends.end_id
    group by document_tokens.corpus, document_tokens.doc_id, ends.token_id, ends.neighbour_id
    having count(*) = 2

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
    inner join documents
        on
            contained.corpus = documents.corpus
            and contained.doc_id = documents.doc_id

)

select * from final
