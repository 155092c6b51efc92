-- One row per ranking, and language of a corpus that has it: its mean density, tokens of all documents together.
{% set pivot_sets = [] %}
{% do list_pivot_set_names(pivot_sets) %}

with

document_pivots as (

    select * from {{ ref('int_document_pivots__counted') }}

),

documents as (

    select * from {{ ref('int_eligible_documents__numbered') }}

),

bridging_corpora as (

    select distinct corpus
    from {{ ref('int_pivot_tokens__selected') }}
    where pivot_set = '{{ var('bridging_set') }}'

),

sums as (

    select
        {% for pivot_set in pivot_sets %}
            sum(n_{{ pivot_set }}_tokens) as n_{{ pivot_set }}_tokens,
        {% endfor %}
        language_number,
        sum(n_tokens) as n_tokens
    from document_pivots
    group by language_number

),

summed as (

    {% for pivot_set in pivot_sets %}
        select
            '{{ pivot_set }}' as ranking,
            language_number,
            n_{{ pivot_set }}_tokens as n_marked_tokens,
            n_tokens
        from sums
        where n_{{ pivot_set }}_tokens is not null

        union all

    {% endfor %}
    select
        'bridging' as ranking,
        documents.language_number,
        sum(coalesce(document_bridges.n_bridging_tokens, 0)) as n_marked_tokens,
        sum(documents.n_tokens) as n_tokens
    from documents
    inner join bridging_corpora on documents.corpus = bridging_corpora.corpus
    left join {{ ref('int_document_bridges__counted') }} as document_bridges
        on
            documents.corpus = document_bridges.corpus
            and documents.doc_id = document_bridges.doc_id
    group by documents.language_number

    union all

    select
        'word_density' as ranking,
        documents.language_number,
        sum(coalesce(document_words.n_word_matches, 0)) as n_marked_tokens,
        sum(documents.n_tokens) as n_tokens
    from documents
    left join {{ ref('int_document_words__counted') }} as document_words
        on
            documents.corpus = document_words.corpus
            and documents.doc_id = document_words.doc_id
    group by documents.language_number

),

final as (

    select
        ranking,
        language_number,
        {{ unit_rate('n_marked_tokens', 'n_tokens') }} as mean_density
    from summed

)

select * from final
