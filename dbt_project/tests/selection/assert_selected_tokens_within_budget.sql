-- However large the budget, a strategy never takes more tokens than it: checked where each document is taken.
with

selected as (

    select * from {{ ref('fct_selected_documents') }}

),

accumulated as (

    select
        corpus,
        strategy,
        doc_id,
        min_budget_tokens,
        sum(n_tokens) over (partition by corpus, strategy order by selection_rank) as n_tokens_so_far
    from selected

)

select * from accumulated
where n_tokens_so_far > min_budget_tokens
