-- One row per corpus, ranking and eligible document: its densities and ranks in its language.
-- A ranking is a pivot set; or `bridging`: pivots beside a neighbour in another language, in place of all of a set; or
-- `word_density`: matches of the list's words.

with

documents as (

    select * from {{ ref('int_documents__deduplicated') }}
    where is_eligible

),

marked as (

    select
        corpus,
        pivot_set as ranking,
        doc_id,
        n_pivot_tokens as n_marked_tokens
    from {{ ref('int_document_pivots__counted') }}

    union all

    select
        corpus,
        'bridging' as ranking,
        doc_id,
        n_bridging_tokens as n_marked_tokens
    from {{ ref('int_document_bridges__counted') }}

    union all

    select
        corpus,
        'word_density' as ranking,
        doc_id,
        n_word_matches as n_marked_tokens
    from {{ ref('int_document_words__counted') }}

),

rankings as (

    select distinct
        corpus,
        pivot_set as ranking
    from {{ ref('int_pivot_tokens__selected') }}

    union all

    select distinct
        corpus,
        'bridging' as ranking
    from {{ ref('int_pivot_tokens__selected') }}
    where pivot_set = '{{ var('bridging_set') }}'

    union all

    select distinct
        corpus,
        'word_density' as ranking
    from documents

),

counted as (

    select
        documents.corpus,
        rankings.ranking,
        documents.doc_id,
        documents.lang,
        documents.n_tokens,
        coalesce(marked.n_marked_tokens, 0) as n_marked_tokens
    from documents
    inner join rankings on documents.corpus = rankings.corpus
    left join marked
        on
            documents.corpus = marked.corpus
            and rankings.ranking = marked.ranking
            and documents.doc_id = marked.doc_id

),

language_means as (

    select
        corpus,
        ranking,
        lang,
        {{ unit_rate('sum(n_marked_tokens)', 'sum(n_tokens)') }} as mean_density
    from counted
    group by corpus, ranking, lang

),

densities as (

    select
        counted.*,
        {{ unit_rate('counted.n_marked_tokens', 'counted.n_tokens') }} as density,
        {{ smoothed_density('counted.n_marked_tokens', 'counted.n_tokens', 'language_means.mean_density') }}
            as smoothed_density,
        language_means.mean_density
    from counted
    inner join language_means
        on
            counted.corpus = language_means.corpus
            and counted.ranking = language_means.ranking
            and counted.lang = language_means.lang

),

final as (

    select
        corpus,
        ranking,
        doc_id,
        lang,
        n_tokens,
        n_marked_tokens,
        density,
        smoothed_density,
        smoothed_density >= {{ var('threshold_density_ratio') }} * mean_density as is_above_threshold,
        cast(row_number() over (
            partition by corpus, ranking, lang
            order by density desc, doc_id asc
        ) as bigint) as density_rank_in_lang,
        cast(row_number() over (
            partition by corpus, ranking, lang
            order by smoothed_density desc, doc_id asc
        ) as bigint) as smoothed_rank_in_lang
    from densities

)

select * from final
