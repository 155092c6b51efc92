-- One row per score run, word class, value of the class and word split; all directions together.
with

class_scores as (

    select * from {{ ref('int_class_scores__averaged') }}

),

final as (

    select
        run_id,
        word_class,
        class_value,
        word_split,
        corpus,
        experiment,
        strategy,
        seed,
        model_id,
        n_items,
        n_scored,
        score,
        ci_low,
        ci_high,
        first_rank_rate,
        chance_rate,
        is_summary
    from class_scores

)

select * from final
