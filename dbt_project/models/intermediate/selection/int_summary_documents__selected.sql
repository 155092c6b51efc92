-- One row per corpus, strategy and document, by its number, within the budget at which summary and overlap compare
-- strategies.

with

selected as (

    select * from {{ ref('int_strategy_documents__budgeted') }}

),

documents as (

    select * from {{ ref('int_eligible_documents__numbered') }}

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
        documents.corpus,
        selected.strategy,
        selected.document_number,
        documents.lang,
        documents.n_tokens,
        budgets.budget_tokens
    from selected
    inner join documents on selected.document_number = documents.document_number
    inner join budgets
        on
            documents.corpus = budgets.corpus
            and selected.min_budget_tokens <= budgets.budget_tokens

)

select * from final
