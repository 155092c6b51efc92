-- One row per score run, item and direction: the translation score of one word.
with

items as (

    select * from {{ ref('int_items__scored') }}

),

final as (

    select
        run_id,
        item_id,
        source_lang,
        target_lang,
        corpus,
        experiment,
        strategy,
        seed,
        model_id,
        source_word,
        target_word,
        word_split,
        n_draws,
        n_distractors,
        p_right,
        p_distractors,
        score,
        score_without_space,
        right_rank,
        chance_rate,
        normalised_log_p,
        margin,
        bits_per_byte
    from items

)

select * from final
