-- One row per corpus, strategy that gives every document a key, and eligible document with one: its place among the
-- documents of its language, the smallest key first, ties by doc_id.
{{ config(materialized='table') }}
{% set strategies = ['no_mixed', 'parallel', 'code_switched', 'weighted_density', 'dsir'] %}
{% for strategy in var('own_strategies') %}{% do strategies.append(strategy) %}{% endfor %}

with

documents as (

    select * from {{ ref('int_documents__deduplicated') }}
    where is_eligible

),

keyed as (

    {% for strategy in strategies %}
        select
            corpus,
            '{{ strategy }}' as strategy,
            doc_id,
            cast(sort_key as double) as sort_key
        from {{ ref('int_' ~ strategy ~ '_documents__keyed') }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

final as (

    select
        documents.corpus,
        keyed.strategy,
        documents.doc_id,
        documents.lang,
        documents.n_tokens,
        cast(row_number() over (
            partition by documents.corpus, keyed.strategy, documents.lang
            order by keyed.sort_key asc, documents.doc_id asc
        ) as bigint) as rank_in_lang
    from keyed
    inner join documents
        on
            keyed.corpus = documents.corpus
            and keyed.doc_id = documents.doc_id

)

select * from final
