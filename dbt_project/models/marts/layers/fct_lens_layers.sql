-- One row per trace run and layer: does the lens show something of the prompt there, and does the layer count.
with

layers as (

    select * from {{ ref('int_layers__measured') }}

),

final as (

    select
        run_id,
        layer,
        n_prompts,
        n_items,
        n_top_tokens,
        modal_token_id,
        modal_token,
        modal_share,
        top_entropy,
        final_agreement,
        p_top,
        is_read
    from layers

)

select * from final
