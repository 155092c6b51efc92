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

strategies as (

    select * from {{ ref('int_strategies__listed') }}

),

cells as (

    select * from {{ ref('int_documents__celled') }}

),

coverage as (

    select * from {{ ref('int_coverage_documents__ordered') }}

),

keyed as (

    select * from {{ ref('int_keyed_documents__ordered') }}

),

-- what is dense enough comes first, at random; the rest, at random, fills a budget that is larger than that
thresholded as (

    select
        corpus,
        'pivot_aware_threshold' as strategy,
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
        rankings.corpus,
        strategies.strategy,
        rankings.doc_id,
        rankings.lang,
        rankings.n_tokens,
        {% if var('pivot_ranking') == 'density' %}
            rankings.density_rank_in_lang as rank_in_lang
        {% else %}
            rankings.smoothed_rank_in_lang as rank_in_lang
        {% endif %}
    from rankings
    inner join strategies on rankings.ranking = strategies.ranking
    where strategies.strategy <> 'pivot_aware_threshold' -- has an order of its own

),

covering as (

    select
        corpus,
        'pivot_coverage' as strategy,
        doc_id,
        lang,
        n_tokens,
        rank_in_lang
    from coverage

),

by_rule as (

    select * from drawn
    union all
    select * from covering
    union all
    select * from keyed
    union all
    select * from ranked
    union all
    select * from thresholded

),

-- within a cell, the first document of the reference's order gives its place to the first in random order, and so on
celled as (

    select
        cells.corpus,
        cells.lang,
        cells.length_class,
        cells.n_evaluation_matches,
        cells.is_mixed,
        cells.doc_id,
        cells.n_tokens,
        by_rule.rank_in_lang,
        row_number() over (
            partition by cells.corpus, cells.lang, cells.length_class, cells.n_evaluation_matches, cells.is_mixed
            order by by_rule.rank_in_lang
        ) as place_of_reference,
        row_number() over (
            partition by cells.corpus, cells.lang, cells.length_class, cells.n_evaluation_matches, cells.is_mixed
            order by {{ hash_unit('cells.doc_id', 'matched_random:' ~ var('selection_seed')) }}, cells.doc_id
        ) as random_place
    from cells
    inner join by_rule
        on
            cells.corpus = by_rule.corpus
            and cells.doc_id = by_rule.doc_id
    where by_rule.strategy = '{{ var('matched_reference') }}'

),

matched as (

    select
        drawn_documents.corpus,
        'matched_random' as strategy,
        drawn_documents.doc_id,
        drawn_documents.lang,
        drawn_documents.n_tokens,
        reference_documents.rank_in_lang
    from celled as drawn_documents
    inner join celled as reference_documents
        on
            drawn_documents.corpus = reference_documents.corpus
            and drawn_documents.lang = reference_documents.lang
            and drawn_documents.length_class = reference_documents.length_class
            and drawn_documents.n_evaluation_matches = reference_documents.n_evaluation_matches
            and drawn_documents.is_mixed = reference_documents.is_mixed
            and drawn_documents.random_place = reference_documents.place_of_reference

),

ordered as (

    select * from by_rule
    union all
    select * from matched

),

final as (

    select
        ordered.corpus,
        ordered.strategy,
        strategies.share_scheme,
        ordered.doc_id,
        ordered.lang,
        ordered.n_tokens,
        ordered.rank_in_lang
    from ordered
    inner join strategies on ordered.strategy = strategies.strategy

)

select * from final
