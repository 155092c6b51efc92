-- One row per strategy and document that it may take, by its number, with its place among the documents of its
-- language. On DuckDB a view that is read strategy by strategy: rankings and other models hold most orders already, and
-- the rest is sorted by itself.

with

documents as (

    select * from {{ ref('int_eligible_documents__numbered') }}

),

document_words as (

    select * from {{ ref('int_document_words__counted') }}

),

rankings as (

    select * from {{ ref('int_numbered_documents__ranked') }}

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

mean_densities as (

    select * from {{ ref('int_ranking_densities__averaged') }}
    where ranking = '{{ var('default_pivot_set') }}'

),

densities as (

    select
        rankings.document_number,
        rankings.language_number,
        rankings.n_tokens,
        documents.doc_id,
        {{ smoothed_density('rankings.n_marked_tokens', 'rankings.n_tokens', 'mean_densities.mean_density') }}
            as smoothed_density,
        mean_densities.mean_density
    from rankings
    inner join mean_densities on rankings.language_number = mean_densities.language_number
    inner join documents on rankings.document_number = documents.document_number
    where rankings.ranking = '{{ var('default_pivot_set') }}'

),

-- what is dense enough comes first, at random; the rest, at random, fills a budget that is larger than that
thresholded as (

    select
        'pivot_aware_threshold' as strategy,
        language_number,
        document_number,
        n_tokens,
        cast(row_number() over (
            partition by language_number
            order by
                case when smoothed_density >= {{ var('threshold_density_ratio') }} * mean_density then 0 else 1 end,
                {{ hash_unit('doc_id', 'pivot_aware_threshold:' ~ var('selection_seed')) }},
                document_number
        ) as integer) as rank_in_lang
    from densities

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

    {% for strategy in ['random_multilingual', 'original'] %}
        select
            '{{ strategy }}' as strategy,
            language_number,
            document_number,
            n_tokens,
            cast(row_number() over (
                partition by language_number
                order by {{ hash_unit('doc_id', strategy ~ ':' ~ var('selection_seed')) }}, document_number
            ) as integer) as rank_in_lang
        from documents

        union all

    {% endfor %}
    select
        'frequency_weighted_multilingual' as strategy,
        language_number,
        document_number,
        n_tokens,
        cast(row_number() over (
            partition by language_number
            order by
                case when n_list_words is null then 1 else 0 end,
                {{ rounded('-ln(uniform_draw) / coalesce(n_list_words, 1)', 12) }},
                document_number
        ) as integer) as rank_in_lang
    from weighted

),

ranked as (

    select
        strategies.strategy,
        rankings.language_number,
        rankings.document_number,
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
        'pivot_coverage' as strategy,
        documents.language_number,
        documents.document_number,
        documents.n_tokens,
        cast(coverage.rank_in_lang as integer) as rank_in_lang
    from coverage
    inner join documents
        on
            coverage.corpus = documents.corpus
            and coverage.doc_id = documents.doc_id

),

by_key as (

    select
        keyed.strategy,
        documents.language_number,
        documents.document_number,
        documents.n_tokens,
        cast(keyed.rank_in_lang as integer) as rank_in_lang
    from keyed
    inner join documents
        on
            keyed.corpus = documents.corpus
            and keyed.doc_id = documents.doc_id

),

by_rule as (

    select * from drawn
    union all
    select * from covering
    union all
    select * from by_key
    union all
    select * from ranked
    union all
    select * from thresholded

),

-- within a cell, the first document of the reference's order gives its place to the first in random order, and so on
celled as (

    select
        documents.language_number,
        cells.length_class,
        cells.n_evaluation_matches,
        cells.is_mixed,
        documents.document_number,
        documents.n_tokens,
        by_rule.rank_in_lang,
        row_number() over (
            partition by documents.language_number, cells.length_class, cells.n_evaluation_matches, cells.is_mixed
            order by by_rule.rank_in_lang
        ) as place_of_reference,
        row_number() over (
            partition by documents.language_number, cells.length_class, cells.n_evaluation_matches, cells.is_mixed
            order by
                {{ hash_unit('documents.doc_id', 'matched_random:' ~ var('selection_seed')) }},
                documents.document_number
        ) as random_place
    from cells
    inner join documents
        on
            cells.corpus = documents.corpus
            and cells.doc_id = documents.doc_id
    inner join by_rule on documents.document_number = by_rule.document_number
    where by_rule.strategy = '{{ var('matched_reference') }}'

),

matched as (

    select
        'matched_random' as strategy,
        drawn_documents.language_number,
        drawn_documents.document_number,
        drawn_documents.n_tokens,
        reference_documents.rank_in_lang
    from celled as drawn_documents
    inner join celled as reference_documents
        on
            drawn_documents.language_number = reference_documents.language_number
            and drawn_documents.length_class = reference_documents.length_class
            and drawn_documents.n_evaluation_matches = reference_documents.n_evaluation_matches
            and drawn_documents.is_mixed = reference_documents.is_mixed
            and drawn_documents.random_place = reference_documents.place_of_reference

),

final as (

    select * from by_rule
    union all
    select * from matched

)

select * from final
