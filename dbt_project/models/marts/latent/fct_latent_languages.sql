-- One row per trace run, direction (and all/all), language, its role and layer: how much of the item's word in that
-- language the layer shows.
with

languages as (

    select * from {{ ref('int_layer_words__averaged') }}

),

final as (

    select
        run_id,
        source_lang,
        target_lang,
        lang,
        lang_role,
        layer,
        n_words,
        p,
        top_rate,
        mean_reciprocal_rank,
        language_share,
        is_read,
        is_summary
    from languages

)

select * from final
