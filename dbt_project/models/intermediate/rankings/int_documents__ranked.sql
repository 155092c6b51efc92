-- One row per corpus, ranking and eligible document: its densities and ranks in its language.
-- A ranking is a pivot set; or `bridging`: pivots beside a neighbour in another language, in place of all of a set; or
-- `word_density`: matches of the list's words.
{{ config(materialized='view') }}

with

rankings as (

    select * from {{ ref('int_numbered_documents__ranked') }}

),

mean_densities as (

    select * from {{ ref('int_ranking_densities__averaged') }}

),

documents as (

    select * from {{ ref('int_eligible_documents__numbered') }}

),

densities as (

    select
        documents.corpus,
        rankings.ranking,
        documents.doc_id,
        documents.lang,
        rankings.n_tokens,
        cast(rankings.n_marked_tokens as bigint) as n_marked_tokens,
        {{ unit_rate('rankings.n_marked_tokens', 'rankings.n_tokens') }} as density,
        {{ smoothed_density('rankings.n_marked_tokens', 'rankings.n_tokens', 'mean_densities.mean_density') }}
            as smoothed_density,
        mean_densities.mean_density,
        cast(rankings.density_rank_in_lang as bigint) as density_rank_in_lang,
        cast(rankings.smoothed_rank_in_lang as bigint) as smoothed_rank_in_lang
    from rankings
    inner join mean_densities
        on
            rankings.ranking = mean_densities.ranking
            and rankings.language_number = mean_densities.language_number
    inner join documents on rankings.document_number = documents.document_number

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
        density_rank_in_lang,
        smoothed_rank_in_lang
    from densities

)

select * from final
