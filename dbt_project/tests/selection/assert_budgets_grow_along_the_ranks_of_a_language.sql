-- Within a language documents are taken in order, none skipped: a larger budget only adds to a smaller one.
with

selected as (

    select * from {{ ref('fct_selected_documents') }}

),

neighbours as (

    select
        corpus,
        strategy,
        lang,
        doc_id,
        rank_in_lang,
        min_budget_tokens,
        lag(min_budget_tokens) over language_order as previous_budget_tokens,
        coalesce(lag(rank_in_lang) over language_order, 0) as previous_rank
    from selected
    window
        language_order as (
            partition by corpus, strategy, lang
            order by rank_in_lang
        )

)

select * from neighbours
where
    rank_in_lang <> previous_rank + 1
    or min_budget_tokens < previous_budget_tokens
