-- One row per trace run and token that some layer shows whatever the prompt is: the artefacts of the lens.
with

tops as (

    select * from {{ ref('int_layer_tops__counted') }}

),

layers as (

    select * from {{ ref('int_layers__measured') }}

),

final as (

    select distinct
        tops.run_id,
        tops.top_token_id as token_id
    from tops
    inner join layers on tops.run_id = layers.run_id and tops.layer = layers.layer
    where
        tops.layer > 0
        and tops.share > {{ var('lens_max_modal_share') }}
        and layers.n_items >= {{ var('lens_min_items') }}

)

select * from final
