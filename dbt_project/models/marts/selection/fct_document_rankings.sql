-- One row per corpus, ranking by pivots and document that may be selected: its densities and ranks in its language.

with

rankings as (

    select * from {{ ref('int_documents__ranked') }}
    where ranking <> 'word_density'

),

final as (

    select
        corpus,
        ranking as pivot_set,
        doc_id,
        lang,
        n_tokens,
        n_marked_tokens as n_pivot_tokens,
        density as pivot_density,
        smoothed_density,
        is_above_threshold,
        density_rank_in_lang,
        smoothed_rank_in_lang
    from rankings

)

select * from final
