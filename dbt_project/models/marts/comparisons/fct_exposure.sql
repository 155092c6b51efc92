-- One row per export, word split and kind of words (and all): how often its documents show the words, both words of a
-- pair together, and pivots beside a neighbour.
with

exports as (

    select distinct
        export_id,
        corpus,
        strategy,
        budget_tokens
    from {{ ref('stg_exports') }}

),

selected as (

    select
        exports.export_id,
        exports.corpus,
        exports.strategy,
        exports.budget_tokens,
        documents.doc_id,
        documents.n_tokens
    from exports
    inner join {{ ref('fct_selected_documents') }} as documents
        on
            exports.corpus = documents.corpus
            and exports.strategy = documents.strategy
            and exports.budget_tokens >= documents.min_budget_tokens

),

sizes as (

    select
        export_id,
        corpus,
        strategy,
        budget_tokens,
        count(*) as n_docs,
        cast(sum(n_tokens) as bigint) as n_tokens
    from selected
    group by export_id, corpus, strategy, budget_tokens

),

edges as (

    select
        selected.export_id,
        count(*) as n_edge_docs,
        count(distinct concat(cast(edges.token_id as string), ' ', cast(edges.neighbour_id as string))) as n_edges
    from selected
    inner join {{ ref('int_document_edges__matched') }} as edges
        on
            selected.corpus = edges.corpus
            and selected.doc_id = edges.doc_id
    group by selected.export_id

),

items as (

    select * from {{ ref('stg_translation_items') }}

),

word_documents as (

    select * from {{ ref('stg_word_documents') }}

),

concepts as (

    select * from {{ ref('stg_planted_concepts') }}

),

splits as (

    select * from {{ ref('int_word_splits__listed') }}

),

item_documents as (

    select
        selected.export_id,
        selected.corpus,
        items.item_id,
        items.word_split,
        selected.doc_id,
        count(*) as n_words,
        count(distinct items.lang) as n_langs,
        cast(sum(word_documents.n_matches) as bigint) as n_matches
    from selected
    inner join word_documents
        on
            selected.corpus = word_documents.corpus
            and selected.doc_id = word_documents.doc_id
    inner join items on word_documents.word_id = items.word_id
    group by selected.export_id, selected.corpus, items.item_id, items.word_split, selected.doc_id

),

of_kinds as (

    select
        *,
        cast('all' as string) as kind
    from item_documents

    union all

    select
        item_documents.*,
        concepts.kind
    from item_documents
    inner join concepts
        on
            item_documents.corpus = concepts.corpus
            and item_documents.item_id = concepts.item_id

),

exposed as (

    select
        of_kinds.export_id,
        splits.word_split,
        of_kinds.kind,
        count(distinct of_kinds.item_id) as n_items,
        cast(sum(of_kinds.n_words) as bigint) as n_word_docs,
        cast(sum(of_kinds.n_matches) as bigint) as n_matches,
        cast(sum(case when of_kinds.n_langs > 1 then 1 else 0 end) as bigint) as n_joint_docs
    from of_kinds
    inner join splits on splits.word_split = 'all' or of_kinds.word_split = splits.word_split
    group by of_kinds.export_id, splits.word_split, of_kinds.kind

),

final as (

    select
        exposed.export_id,
        exposed.word_split,
        exposed.kind,
        sizes.corpus,
        sizes.strategy,
        sizes.budget_tokens,
        sizes.n_docs,
        sizes.n_tokens,
        exposed.n_items,
        exposed.n_word_docs,
        exposed.n_matches,
        exposed.n_joint_docs,
        case when exposed.kind = 'all' and exposed.word_split = 'all' then coalesce(edges.n_edge_docs, 0) end
            as n_edge_docs,
        case when exposed.kind = 'all' and exposed.word_split = 'all' then coalesce(edges.n_edges, 0) end as n_edges,
        {{ is_summary(['exposed.word_split', 'exposed.kind']) }} as is_summary
    from exposed
    inner join sizes on exposed.export_id = sizes.export_id
    left join edges on exposed.export_id = edges.export_id

)

select * from final
