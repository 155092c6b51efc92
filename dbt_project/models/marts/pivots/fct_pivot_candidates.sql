-- One row per corpus, score method, item, direction and token among the pair's best candidates.

with

pivot_candidates as (

    select * from {{ ref('int_pivot_candidates__detailed') }}

),

final as (

    select
        corpus,
        score_method,
        item_id,
        word_split,
        source_lang,
        target_lang,
        source_word,
        target_word,
        token_id,
        token,
        n_docs_source_token,
        n_docs_target_token,
        source_rate,
        target_rate,
        background_rate,
        expected_source_rate,
        expected_target_rate,
        source_rate_difference,
        target_rate_difference,
        source_deviance_root,
        target_deviance_root,
        source_z,
        target_z,
        is_own_token,
        is_special,
        is_blank,
        pivot_score,
        pivot_rank,
        review_status,
        is_kept
    from pivot_candidates

)

select * from final
