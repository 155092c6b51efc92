-- One row per trace run, direction (and all/all), language, its role and layer: how much of the item's word in that
-- language a layer shows. Words that begin like the source or target word would show those and are left out.
with

words as (

    select * from {{ ref('stg_layer_words') }}
    where not shares_token and {{ is_finite('p') }}

),

layers as (

    select * from {{ ref('int_layers__measured') }}

),

cut as (

    select
        run_id,
        source_lang,
        target_lang,
        lang,
        lang_role,
        layer,
        p,
        word_rank
    from words

    union all

    select
        run_id,
        'all' as source_lang,
        'all' as target_lang,
        lang,
        lang_role,
        layer,
        p,
        word_rank
    from words

),

averaged as (

    select
        run_id,
        source_lang,
        target_lang,
        lang,
        lang_role,
        layer,
        count(*) as n_words,
        {{ exact_avg('p') }} as p,
        {{ exact_avg('case when word_rank = 1 then 1 else 0 end') }} as top_rate,
        {{ exact_avg('1.0e0 / word_rank') }} as mean_reciprocal_rank
    from cut
    group by run_id, source_lang, target_lang, lang, lang_role, layer

),

totals as (

    select
        run_id,
        source_lang,
        target_lang,
        layer,
        {{ exact_sum('p') }} as p
    from averaged
    group by run_id, source_lang, target_lang, layer

),

final as (

    select
        averaged.run_id,
        averaged.source_lang,
        averaged.target_lang,
        averaged.lang,
        averaged.lang_role,
        averaged.layer,
        averaged.n_words,
        averaged.p,
        averaged.top_rate,
        averaged.mean_reciprocal_rank,
        averaged.p / nullif(totals.p, 0) as language_share,
        layers.is_read,
        {{ is_summary(['averaged.source_lang']) }} as is_summary
    from averaged
    inner join totals
        on
            averaged.run_id = totals.run_id
            and averaged.source_lang = totals.source_lang
            and averaged.target_lang = totals.target_lang
            and averaged.layer = totals.layer
    inner join layers on averaged.run_id = layers.run_id and averaged.layer = layers.layer

)

select * from final
