-- However large the budget, a strategy never takes more tokens than it: checked where each document is taken. Within a
-- language documents are taken in order, none skipped: a larger budget only adds to a smaller one.
-- Strategy by strategy, as they are made: one sort of all of them takes several times as long.
{{ config(group='selection') }}
{% set strategies = [] %}
{% do list_strategy_names(strategies) %}

with

selected as (

    select * from {{ ref('int_strategy_documents__budgeted') }}

),

documents as (

    select * from {{ ref('int_eligible_documents__numbered') }}

),

{% for strategy in strategies %}
    taken_{{ loop.index }} as (

        select
            selected.strategy,
            selected.document_number,
            selected.rank_in_lang,
            selected.min_budget_tokens,
            sum(documents.n_tokens) over (
                partition by documents.corpus_number
                order by selected.selection_rank
                rows between unbounded preceding and current row
            ) as n_tokens_so_far,
            lag(selected.min_budget_tokens) over language_order as previous_budget_tokens,
            coalesce(lag(selected.rank_in_lang) over language_order, 0) as previous_rank
        from selected
        inner join documents on selected.document_number = documents.document_number
        where selected.strategy = '{{ strategy }}'
        window
            language_order as (
                partition by selected.language_number
                order by selected.rank_in_lang
            )

    ),

{% endfor %}
taken as (

    {% for strategy in strategies %}
        select * from taken_{{ loop.index }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

)

select * from taken
where
    n_tokens_so_far > min_budget_tokens
    or rank_in_lang <> previous_rank + 1
    or min_budget_tokens < previous_budget_tokens
