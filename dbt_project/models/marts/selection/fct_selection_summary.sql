-- One row per corpus, strategy and language: what the strategy takes within the summary's budget.

with

selections as (

    select * from {{ ref('int_summary_documents__selected') }}

),

language_shares as (

    select * from {{ ref('int_language_shares__weighed') }}

),

rankings as (

    select * from {{ ref('int_numbered_documents__ranked') }}

),

strategies as (

    select * from {{ ref('int_strategies__listed') }}

),

budgets as (

    select
        corpus,
        strategy,
        max(budget_tokens) as budget_tokens
    from selections
    group by corpus, strategy

),

-- every language that is due a share has a row, taken or not
spine as (

    select
        budgets.corpus,
        budgets.strategy,
        budgets.budget_tokens,
        language_shares.lang,
        language_shares.target_share
    from budgets
    inner join strategies on budgets.strategy = strategies.strategy
    inner join language_shares
        on
            budgets.corpus = language_shares.corpus
            and strategies.share_scheme = language_shares.share_scheme

),

exposures as (

    select
        selections.corpus,
        selections.strategy,
        selections.lang,
        count(*) as n_docs,
        sum(selections.n_tokens) as n_tokens,
        sum(pivots.n_marked_tokens) as n_pivot_tokens,
        sum(truth.n_marked_tokens) as n_planted_pivot_tokens,
        sum(words.n_marked_tokens) as n_word_matches
    from selections
    left join rankings as pivots
        on
            selections.document_number = pivots.document_number
            and pivots.ranking = '{{ var('default_pivot_set') }}'
    left join rankings as truth
        on
            selections.document_number = truth.document_number
            and truth.ranking = 'planted_truth'
    left join rankings as words
        on
            selections.document_number = words.document_number
            and words.ranking = 'word_density'
    group by selections.corpus, selections.strategy, selections.lang

),

final as (

    select
        spine.corpus,
        spine.strategy,
        spine.lang,
        spine.budget_tokens,
        coalesce(exposures.n_docs, 0) as n_docs,
        cast(coalesce(exposures.n_tokens, 0) as bigint) as n_tokens,
        {{ unit_rate(
            'coalesce(exposures.n_tokens, 0)',
            'sum(exposures.n_tokens) over (partition by spine.corpus, spine.strategy)'
        ) }} as token_share,
        spine.target_share,
        {{ unit_rate('exposures.n_pivot_tokens', 'exposures.n_tokens') }} as mean_pivot_density,
        {{ unit_rate('exposures.n_planted_pivot_tokens', 'exposures.n_tokens') }} as mean_planted_pivot_density,
        {{ unit_rate('exposures.n_word_matches', 'exposures.n_tokens') }} as mean_word_density
    from spine
    left join exposures
        on
            spine.corpus = exposures.corpus
            and spine.strategy = exposures.strategy
            and spine.lang = exposures.lang

)

select * from final
