-- One row per corpus, strategy and document that the strategy takes within the budget kept here.

with

strategy_documents as (

    select * from {{ ref('int_strategy_documents__budgeted') }}

),

documents as (

    select * from {{ ref('int_eligible_documents__numbered') }}

),

final as (

    select
        documents.corpus,
        strategy_documents.strategy,
        documents.doc_id,
        documents.lang,
        documents.n_tokens,
        cast(strategy_documents.selection_rank as bigint) as selection_rank,
        cast(strategy_documents.rank_in_lang as bigint) as rank_in_lang,
        strategy_documents.min_budget_tokens
    from strategy_documents
    inner join documents on strategy_documents.document_number = documents.document_number

)

select * from final
