-- One row per trace run, direction (and all/all), behaviour and layer: mean probabilities along the depth.
with

traces as (

    select * from {{ ref('int_layer_traces__marked') }}
    -- NaN, from a model that diverged, spreads through the sum
    where {{ is_finite('p_top + p_source + p_target + coalesce(p_pivot, 0) + coalesce(p_control, 0) + entropy') }}

),

behaviours as (

    select * from {{ ref('int_behaviours__classified') }}

),

joined as (

    select
        traces.run_id,
        traces.source_lang,
        traces.target_lang,
        behaviours.behaviour,
        traces.layer,
        traces.is_layer_read,
        traces.p_pivot,
        traces.p_control,
        traces.p_source,
        traces.p_target,
        traces.p_top,
        traces.entropy
    from traces
    inner join behaviours
        on
            traces.run_id = behaviours.run_id
            and traces.item_id = behaviours.item_id
            and traces.source_lang = behaviours.source_lang
            and traces.target_lang = behaviours.target_lang

),

cut as (

    select * from joined

    union all

    select
        run_id,
        'all' as source_lang,
        'all' as target_lang,
        behaviour,
        layer,
        is_layer_read,
        p_pivot,
        p_control,
        p_source,
        p_target,
        p_top,
        entropy
    from joined

),

averaged as (

    select
        run_id,
        source_lang,
        target_lang,
        behaviour,
        layer,
        is_layer_read as is_read,
        {{ exact_avg('p_pivot') }} as p_pivot,
        {{ exact_avg('p_control') }} as p_control,
        {{ exact_avg('p_source') }} as p_source,
        {{ exact_avg('p_target') }} as p_target,
        {{ exact_avg('p_top') }} as p_top,
        {{ exact_avg('entropy') }} as entropy,
        count(*) as n_items,
        count(p_pivot) as n_items_with_pivots
    from cut
    group by run_id, source_lang, target_lang, behaviour, layer, is_layer_read

),

final as (

    select
        *,
        is_read
        and p_pivot is not null
        and row_number() over (
            partition by run_id, source_lang, target_lang, behaviour
            order by case when is_read and p_pivot is not null then 0 else 1 end, p_pivot desc, layer asc
        ) = 1 as is_peak,
        {{ is_summary(['source_lang']) }} as is_summary
    from averaged

)

select * from final
