-- One row per corpus and token of any of its pivot sets, by a key of both: for every set 1 or 0 whether the token is in
-- it, and the same packed, three sets in one integer, so that three sets are counted by one sum
-- (int_document_pivots__counted).
-- A table of its own: it is small, and the engine has to know that before it joins all tokens with it.
{% set pivot_sets = [] %}
{% do list_pivot_set_names(pivot_sets) %}
{% set field = 2 ** (packed_count_bits() | int) %}

with

pivot_tokens as (

    select * from {{ ref('int_pivot_tokens__selected') }}

),

corpora as (

    select distinct
        corpus,
        corpus_number
    from {{ ref('int_eligible_documents__numbered') }}

),

marked as (

    select
        {% for pivot_set in pivot_sets %}
            max(case when pivot_tokens.pivot_set = '{{ pivot_set }}' then 1 else 0 end) as mark_{{ loop.index0 }},
        {% endfor %}
        cast(corpora.corpus_number as bigint) * 4294967296 + pivot_tokens.token_id as token_key
    from pivot_tokens
    inner join corpora on pivot_tokens.corpus = corpora.corpus
    group by cast(corpora.corpus_number as bigint) * 4294967296 + pivot_tokens.token_id

),

final as (

    select
        {% for first in range(0, pivot_sets | length, 3) %}
            cast(
                mark_{{ first }}
                {% if first + 1 < pivot_sets | length %}+ mark_{{ first + 1 }} * {{ field }}{% endif %}
                {% if first + 2 < pivot_sets | length %}+ mark_{{ first + 2 }} * {{ field ** 2 }}{% endif %} as bigint
            ) as word_{{ first // 3 }},
        {% endfor %}
        *
    from marked

)

select * from final
