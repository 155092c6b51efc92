-- One row per corpus, strategy and document that it may take, with its place among the documents of its language.

with

documents as (

    select * from {{ ref('int_documents__deduplicated') }}
    where is_eligible

),

document_words as (

    select * from {{ ref('int_document_words__counted') }}

),

rankings as (

    select * from {{ ref('int_documents__ranked') }}

),

-- what is dense enough comes first, at random; the rest, at random, fills a budget that is larger than that
thresholded as (

    select
        corpus,
        'pivot_aware_threshold' as strategy,
        'multilingual' as share_scheme,
        doc_id,
        lang,
        n_tokens,
        cast(row_number() over (
            partition by corpus, lang
            order by
                case when is_above_threshold then 0 else 1 end,
                {{ hash_unit('doc_id', 'pivot_aware_threshold:' ~ var('selection_seed')) }},
                doc_id
        ) as bigint) as rank_in_lang
    from rankings
    where ranking = '{{ var('default_pivot_set') }}'

),

-- Efraimidis and Spirakis: the smallest -ln(u) / weight first is a weighted draw without replacement
weighted as (

    select
        documents.*,
        document_words.n_list_words,
        1 - {{ hash_unit('documents.doc_id', 'frequency_weighted:' ~ var('selection_seed')) }} as uniform_draw
    from documents
    left join document_words
        on
            documents.corpus = document_words.corpus
            and documents.doc_id = document_words.doc_id

),

drawn as (

    select
        corpus,
        'random_multilingual' as strategy,
        'multilingual' as share_scheme,
        doc_id,
        lang,
        n_tokens,
        cast(row_number() over (
            partition by corpus, lang
            order by {{ hash_unit('doc_id', 'random_multilingual:' ~ var('selection_seed')) }}, doc_id
        ) as bigint) as rank_in_lang
    from documents

    union all

    select
        corpus,
        'original' as strategy,
        'natural' as share_scheme,
        doc_id,
        lang,
        n_tokens,
        cast(row_number() over (
            partition by corpus, lang
            order by {{ hash_unit('doc_id', 'original:' ~ var('selection_seed')) }}, doc_id
        ) as bigint) as rank_in_lang
    from documents

    union all

    select
        corpus,
        'frequency_weighted_multilingual' as strategy,
        'multilingual' as share_scheme,
        doc_id,
        lang,
        n_tokens,
        cast(row_number() over (
            partition by corpus, lang
            order by
                case when n_list_words is null then 1 else 0 end,
                {{ rounded('-ln(uniform_draw) / coalesce(n_list_words, 1)', 12) }},
                doc_id
        ) as bigint) as rank_in_lang
    from weighted

),

ranked as (

    select
        corpus,
        case
            when ranking in ('word_density', 'planted_truth') then ranking
            else concat('pivot_aware_', ranking)
        end as strategy,
        'multilingual' as share_scheme,
        doc_id,
        lang,
        n_tokens,
        {% if var('pivot_ranking') == 'density' %}
            density_rank_in_lang as rank_in_lang
        {% else %}
            smoothed_rank_in_lang as rank_in_lang
        {% endif %}
    from rankings

    union all

    select
        corpus,
        'pivot_aware' as strategy,
        'multilingual' as share_scheme,
        doc_id,
        lang,
        n_tokens,
        {% if var('pivot_ranking') == 'density' %}
            density_rank_in_lang as rank_in_lang
        {% else %}
            smoothed_rank_in_lang as rank_in_lang
        {% endif %}
    from rankings
    where ranking = '{{ var('default_pivot_set') }}'

),

final as (

    select * from drawn
    union all
    select * from ranked
    union all
    select * from thresholded

)

select * from final
