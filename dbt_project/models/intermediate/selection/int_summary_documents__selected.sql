-- One row per corpus, strategy and document within the budget at which summary and overlap compare strategies.

with

selected as (

    select * from {{ ref('int_strategy_documents__budgeted') }}

),

documents as (

    select * from {{ ref('int_documents__deduplicated') }}
    where is_eligible

),

budgets as (

    select
        corpus,
        {% if var('selection_budget_tokens') | int > 0 %}
            cast({{ var('selection_budget_tokens') }} as bigint) as budget_tokens
        {% else %}
            cast(floor({{ var('summary_budget_share') }} * sum(n_tokens)) as bigint) as budget_tokens
        {% endif %}
    from documents
    group by corpus

),

final as (

    select
        selected.corpus,
        selected.strategy,
        selected.doc_id,
        selected.lang,
        selected.n_tokens,
        budgets.budget_tokens
    from selected
    inner join budgets
        on
            selected.corpus = budgets.corpus
            and selected.min_budget_tokens <= budgets.budget_tokens

)

select * from final
