-- One row per trace run, item and direction: does the model go straight to the target or through another word.
with

behaviours as (

    select * from {{ ref('int_behaviours__classified') }}

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
        behaviour,
        peak_layer,
        top_token_id,
        top_token,
        p_top,
        is_top_pivot,
        final_layer,
        final_token_id,
        final_token,
        is_final_target,
        behaviour_by_threshold,
        threshold_layer,
        max_p_elsewhere
    from behaviours

)

select * from final
