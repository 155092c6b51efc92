-- One row per eligible document: how many tokens of every pivot set it holds, repeats counted; NULL for a set that its
-- corpus lacks. One pass over all tokens for all sets: a token's marks are ones and zeros, three of them in one
-- integer, so that three sets are counted by one sum. A count of that many bits holds any document but the longest,
-- which are counted set by set.
{% set pivot_sets = [] %}
{% do list_pivot_set_names(pivot_sets) %}
{% set field = 2 ** (packed_count_bits() | int) %}

with

documents as (

    select * from {{ ref('int_eligible_documents__numbered') }}

),

marks as (

    select * from {{ ref('int_token_marks__packed') }}

),

tokens as (

    select
        documents.document_number,
        cast(documents.corpus_number as bigint) * 4294967296 as corpus_key,
        {{ unnest_column('document_tokens.token_ids') }} as token_id
    from {{ ref('stg_document_tokens') }} as document_tokens
    inner join documents
        on
            document_tokens.corpus = documents.corpus
            and document_tokens.doc_id = documents.doc_id
    where documents.n_tokens < {{ field }}

),

sums as (

    select
        {% for word in range((pivot_sets | length + 2) // 3) %}
            cast(sum(marks.word_{{ word }}) as bigint) as sum_{{ word }},
        {% endfor %}
        tokens.document_number
    from tokens
    inner join marks on tokens.corpus_key + tokens.token_id = marks.token_key
    group by tokens.document_number

),

long_tokens as (

    select
        documents.document_number,
        cast(documents.corpus_number as bigint) * 4294967296 as corpus_key,
        {{ unnest_column('document_tokens.token_ids') }} as token_id
    from {{ ref('stg_document_tokens') }} as document_tokens
    inner join documents
        on
            document_tokens.corpus = documents.corpus
            and document_tokens.doc_id = documents.doc_id
    where documents.n_tokens >= {{ field }}

),

counted as (

    select
        {% for pivot_set in pivot_sets %}
            {{ packed_count('sum_' ~ loop.index0 // 3, loop.index0 % 3, field) }} as n_{{ pivot_set }}_tokens,
        {% endfor %}
        document_number
    from sums

    union all

    select
        {% for pivot_set in pivot_sets %}
            cast(sum(marks.mark_{{ loop.index0 }}) as integer) as n_{{ pivot_set }}_tokens,
        {% endfor %}
        long_tokens.document_number
    from long_tokens
    inner join marks on long_tokens.corpus_key + long_tokens.token_id = marks.token_key
    group by long_tokens.document_number

),

sets_of_corpora as (

    select
        {% for pivot_set in pivot_sets %}
            max(case when pivot_set = '{{ pivot_set }}' then 0 end) as no_{{ pivot_set }}_tokens,
        {% endfor %}
        corpus
    from {{ ref('int_pivot_tokens__selected') }}
    group by corpus

),

final as (

    select
        {% for pivot_set in pivot_sets %}
            sets_of_corpora.no_{{ pivot_set }}_tokens + coalesce(counted.n_{{ pivot_set }}_tokens, 0)
                as n_{{ pivot_set }}_tokens,
        {% endfor %}
        documents.document_number,
        documents.language_number,
        documents.n_tokens
    from documents
    left join sets_of_corpora on documents.corpus = sets_of_corpora.corpus
    left join counted on documents.document_number = counted.document_number

)

select * from final
