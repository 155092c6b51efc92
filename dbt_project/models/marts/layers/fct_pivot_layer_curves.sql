-- One row per trace run, direction (and all/all), behaviour and layer: mean probabilities along the depth.
with

layer_curves as (

    select * from {{ ref('int_layer_curves__averaged') }}

),

final as (

    select
        run_id,
        source_lang,
        target_lang,
        behaviour,
        layer,
        p_pivot,
        p_control,
        p_source,
        p_target,
        p_top,
        entropy,
        n_items,
        n_items_with_pivots,
        is_peak,
        is_read,
        is_summary
    from layer_curves

)

select * from final
