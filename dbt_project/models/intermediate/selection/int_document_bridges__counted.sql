-- One row per corpus and document in which pivots bridge: how many tokens of the set bridging_set, repeats counted,
-- stand in one window with a neighbour in another language than their own (for a pivot of no language: than the
-- document's). Windows are consecutive pieces, bridging_window_tokens long; the last of a document may be shorter.

with

pivot_tokens as (

    select
        corpus,
        token_id
    from {{ ref('int_pivot_tokens__selected') }}
    where pivot_set = '{{ var('bridging_set') }}'

),

edges as (

    select
        neighbours.corpus,
        neighbours.token_id,
        neighbours.lang,
        neighbours.neighbour_id,
        neighbours.neighbour_lang
    from {{ ref('int_token_neighbours__ranked') }} as neighbours
    inner join pivot_tokens
        on
            neighbours.corpus = pivot_tokens.corpus
            and neighbours.token_id = pivot_tokens.token_id
    where
        neighbours.graph = 'bridge'
        and neighbours.neighbour_rank_in_lang <= {{ var('bridging_neighbours_per_language') }}
        and neighbours.neighbour_lang is not null
        and (neighbours.lang is null or neighbours.lang <> neighbours.neighbour_lang)

),

-- all other tokens leave at once: the joins see only what can bridge or be bridged to
ends as (

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

    select
        corpus,
        doc_id,
        lang
    from {{ ref('int_documents__deduplicated') }}
    where is_eligible

),

window_tokens as (

    {{ count_in_windows('ends', 'token_id', var('bridging_window_tokens'), documents='documents') | indent }}

),

bridging as (

    select
        pivots.corpus,
        pivots.doc_id,
        pivots.window_number,
        pivots.token_id,
        max(pivots.n_tokens) as n_tokens
    from window_tokens as pivots
    inner join documents
        on
            pivots.corpus = documents.corpus
            and pivots.doc_id = documents.doc_id
    inner join edges
        on
            pivots.corpus = edges.corpus
            and pivots.token_id = edges.token_id
    inner join window_tokens as neighbours
        on
            pivots.corpus = neighbours.corpus
            and pivots.doc_id = neighbours.doc_id
            and pivots.window_number = neighbours.window_number
            and edges.neighbour_id = neighbours.token_id
    where edges.lang is not null or edges.neighbour_lang <> documents.lang
    group by pivots.corpus, pivots.doc_id, pivots.window_number, pivots.token_id

),

final as (

    select
        corpus,
        doc_id,
        cast(sum(n_tokens) as bigint) as n_bridging_tokens
    from bridging
    group by corpus, doc_id

)

select * from final
