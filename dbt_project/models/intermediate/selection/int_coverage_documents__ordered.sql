-- One row per corpus with edges of the default pivot set and eligible document: its place among the documents of its
-- language, so that those before it cover the edges well.
-- Greedy coverage takes next the document with most gain: the sum over its edges of 1 / (1 + times that the edge was
-- taken), per token. Its order is the one that stays as it is when documents are sorted by their gain after those
-- before them. So documents are sorted by the gain of each on its own, and then coverage_passes times by their gain in
-- the order before: an edge counts 1 / its document's place among the language's documents with that edge. Each step
-- reads the one before it once, so the query stays a chain on every engine.

with

documents as (

    select * from {{ ref('int_eligible_documents__numbered') }}

),

-- passes sort integers only
document_edges as (

    select
        documents.document_number,
        documents.language_number,
        documents.n_tokens,
        edges.token_id,
        edges.neighbour_id
    from {{ ref('int_document_edges__matched') }} as edges
    inner join documents
        on
            edges.corpus = documents.corpus
            and edges.doc_id = documents.doc_id

),

-- gains are sums of whole billionths: they don't depend on the order of rows
gains_0 as (

    select
        *,
        1.0e9 * count(*) over (partition by document_number) / n_tokens as gain
    from document_edges

),

{% for coverage_pass in range(1, var('coverage_passes') | int + 1) %}
    places_{{ coverage_pass }} as (

        select
            document_number,
            language_number,
            n_tokens,
            token_id,
            neighbour_id,
            row_number() over (
                partition by language_number, token_id, neighbour_id
                order by gain desc, document_number asc
            ) as place
        from gains_{{ coverage_pass - 1 }}

    ),

    gains_{{ coverage_pass }} as (

        select
            *,
            cast(sum(cast(round(1.0e9 / place) as bigint)) over (partition by document_number) as double)
            / n_tokens as gain
        from places_{{ coverage_pass }}

    ),

{% endfor %}
covering as (

    select distinct
        document_number,
        gain
    from gains_{{ var('coverage_passes') | int }}

),

corpora as (

    select distinct documents.corpus
    from documents
    inner join covering on documents.document_number = covering.document_number

),

final as (

    select
        documents.corpus,
        documents.doc_id,
        documents.lang,
        documents.n_tokens,
        cast(row_number() over (
            partition by documents.language_number
            order by coalesce(covering.gain, 0) desc, documents.document_number asc
        ) as bigint) as rank_in_lang
    from documents
    inner join corpora on documents.corpus = corpora.corpus
    left join covering on documents.document_number = covering.document_number

)

select * from final
