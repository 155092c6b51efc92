-- One row per corpus, strategy and document that the strategy takes within the budget kept here.

with

strategy_documents as (

    select * from {{ ref('int_strategy_documents__ordered') }}

),

language_shares as (

    select * from {{ ref('int_language_shares__weighed') }}

),

accumulated as (

    select
        *,
        sum(n_tokens) over (
            partition by corpus, strategy, lang
            order by rank_in_lang
            rows between unbounded preceding and current row
        ) as n_tokens_so_far
    from strategy_documents

),

-- the water level at which the language's due tokens reach this document
levelled as (

    select
        accumulated.*,
        accumulated.n_tokens_so_far / language_shares.target_share as budget_level
    from accumulated
    inner join language_shares
        on
            accumulated.corpus = language_shares.corpus
            and accumulated.share_scheme = language_shares.share_scheme
            and accumulated.lang = language_shares.lang

),

-- the budget that brings the level there: languages that are full by then, and the others' shares of the level
budgeted as (

    select
        levelled.corpus,
        levelled.strategy,
        levelled.doc_id,
        levelled.lang,
        levelled.n_tokens,
        levelled.rank_in_lang,
        cast(ceil(
            {{ rounded('segments.n_full_tokens + levelled.budget_level * segments.open_share', 3) }}
        ) as bigint) as min_budget_tokens
    from levelled
    inner join language_shares as segments
        on
            levelled.corpus = segments.corpus
            and levelled.share_scheme = segments.share_scheme
            and levelled.budget_level > segments.segment_start_level
            and levelled.budget_level <= segments.full_level

),

final as (

    select
        corpus,
        strategy,
        doc_id,
        lang,
        n_tokens,
        cast(row_number() over (
            partition by corpus, strategy
            order by min_budget_tokens, lang, rank_in_lang
        ) as bigint) as selection_rank,
        rank_in_lang,
        min_budget_tokens
    from budgeted
    {% if var('selection_budget_tokens') | int > 0 %}
        where min_budget_tokens <= {{ var('selection_budget_tokens') }}
    {% endif %}

)

select * from final
