-- One row per export and word of the list: how often the selected documents show the word.
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

    select * from {{ ref('fct_selected_documents') }}

),

word_documents as (

    select * from {{ ref('stg_word_documents') }}

),

final as (

    select
        exports.export_id,
        word_documents.word_id,
        exports.corpus,
        exports.strategy,
        exports.budget_tokens,
        count(*) as n_docs,
        cast(sum(word_documents.n_matches) as bigint) as n_matches
    from exports
    inner join selected
        on
            exports.corpus = selected.corpus
            and exports.strategy = selected.strategy
            and exports.budget_tokens >= selected.min_budget_tokens
    inner join word_documents
        on
            selected.corpus = word_documents.corpus
            and selected.doc_id = word_documents.doc_id
    group by
        exports.export_id,
        word_documents.word_id,
        exports.corpus,
        exports.strategy,
        exports.budget_tokens

)

select * from final
