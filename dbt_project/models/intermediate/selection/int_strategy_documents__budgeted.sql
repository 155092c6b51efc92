-- One row per strategy and document that the strategy takes within the budget kept here, by its number.
-- Strategy by strategy: each is sorted by itself, in rows of a few integers.
{% set strategies = [] %}
{% do list_strategy_names(strategies) %}
{% set kept_budget_tokens = (var('selection_budget_tokens') | int) or 9223372036854775807 %}

with

strategy_documents as (

    select * from {{ ref('int_strategy_documents__ordered') }}

),

language_shares as (

    select * from {{ ref('int_language_shares__weighed') }}

),

strategies as (

    select * from {{ ref('int_strategies__listed') }}

),

languages as (

    select distinct
        corpus,
        corpus_number,
        lang,
        language_number
    from {{ ref('int_eligible_documents__numbered') }}

),

shares as (

    select
        strategies.strategy,
        languages.corpus_number,
        languages.language_number,
        language_shares.target_share,
        language_shares.full_level,
        language_shares.segment_start_level,
        language_shares.n_full_tokens,
        language_shares.open_share
    from language_shares
    inner join strategies on language_shares.share_scheme = strategies.share_scheme
    inner join languages
        on
            language_shares.corpus = languages.corpus
            and language_shares.lang = languages.lang

),

{% for strategy in strategies %}
    accumulated_{{ loop.index }} as (

        select
            *,
            sum(n_tokens) over (
                partition by language_number
                order by rank_in_lang
                rows between unbounded preceding and current row
            ) as n_tokens_so_far
        from strategy_documents
        where strategy = '{{ strategy }}'

    ),

    -- the water level at which the language's due tokens reach this document
    levelled_{{ loop.index }} as (

        select
            accumulated.document_number,
            accumulated.language_number,
            accumulated.rank_in_lang,
            shares.corpus_number,
            accumulated.n_tokens_so_far / shares.target_share as budget_level
        from accumulated_{{ loop.index }} as accumulated
        inner join shares
            on
                accumulated.language_number = shares.language_number
                and shares.strategy = '{{ strategy }}'

    ),

    -- the budget that brings the level there: languages that are full by then, and the others' shares of the level
    budgeted_{{ loop.index }} as (

        select
            levelled.document_number,
            levelled.language_number,
            levelled.rank_in_lang,
            levelled.corpus_number,
            cast(ceil(
                {{ rounded('segments.n_full_tokens + levelled.budget_level * segments.open_share', 3) }}
            ) as bigint) as min_budget_tokens
        from levelled_{{ loop.index }} as levelled
        inner join shares as segments
            on
                levelled.corpus_number = segments.corpus_number
                and levelled.budget_level > segments.segment_start_level
                and levelled.budget_level <= segments.full_level
                and segments.strategy = '{{ strategy }}'

    ),

{% endfor %}
final as (

    {% for strategy in strategies %}
        select
            '{{ strategy }}' as strategy,
            language_number,
            document_number,
            cast(row_number() over (
                partition by corpus_number
                order by min_budget_tokens, language_number, rank_in_lang
            ) as integer) as selection_rank,
            rank_in_lang,
            min_budget_tokens
        from budgeted_{{ loop.index }}
        where min_budget_tokens <= {{ kept_budget_tokens }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

)

select * from final
