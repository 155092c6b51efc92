-- One row per corpus and two strategies (strategy_a < strategy_b): what both take within the summary's budget.

with

selections as (

    select * from {{ ref('int_summary_documents__selected') }}

),

totals as (

    select
        corpus,
        strategy,
        count(*) as n_docs,
        cast(sum(n_tokens) as bigint) as n_tokens
    from selections
    group by corpus, strategy

),

strategy_pairs as (

    select
        totals_a.corpus,
        totals_a.strategy as strategy_a,
        totals_b.strategy as strategy_b,
        totals_a.n_tokens as n_tokens_a,
        totals_b.n_tokens as n_tokens_b
    from totals as totals_a
    inner join totals as totals_b
        on
            totals_a.corpus = totals_b.corpus
            and totals_a.strategy < totals_b.strategy

),

shared as (

    select
        selections_a.corpus,
        selections_a.strategy as strategy_a,
        selections_b.strategy as strategy_b,
        count(*) as n_docs,
        cast(sum(selections_a.n_tokens) as bigint) as n_tokens
    from selections as selections_a
    inner join selections as selections_b
        on
            selections_a.document_number = selections_b.document_number
            and selections_a.strategy < selections_b.strategy
    group by selections_a.corpus, selections_a.strategy, selections_b.strategy

),

final as (

    select
        strategy_pairs.corpus,
        strategy_pairs.strategy_a,
        strategy_pairs.strategy_b,
        coalesce(shared.n_docs, 0) as n_docs_both,
        coalesce(shared.n_tokens, 0) as n_tokens_both,
        {{ unit_rate('coalesce(shared.n_tokens, 0)', 'strategy_pairs.n_tokens_a') }} as token_share_of_a,
        {{ unit_rate('coalesce(shared.n_tokens, 0)', 'strategy_pairs.n_tokens_b') }} as token_share_of_b
    from strategy_pairs
    left join shared
        on
            strategy_pairs.corpus = shared.corpus
            and strategy_pairs.strategy_a = shared.strategy_a
            and strategy_pairs.strategy_b = shared.strategy_b

)

select * from final
