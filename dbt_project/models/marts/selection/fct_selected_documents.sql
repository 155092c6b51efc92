-- One row per corpus, strategy and document that the strategy takes within the budget kept here.
with

strategy_documents as (

    select * from {{ ref('int_strategy_documents__budgeted') }}

),

final as (

    select
        corpus,
        strategy,
        doc_id,
        lang,
        n_tokens,
        selection_rank,
        rank_in_lang,
        min_budget_tokens
    from strategy_documents

)

select * from final
