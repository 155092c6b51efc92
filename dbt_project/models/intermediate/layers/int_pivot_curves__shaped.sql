-- One row per trace run: the shape of its mean pivot probability along the depth (words that share a
-- token left out, layers that count only).
with

curves as (

    select
        run_id,
        layer,
        {{ exact_sum('p_pivot * n_items_with_pivots') }} / sum(n_items_with_pivots) as p_pivot,
        {{ exact_sum('p_control * n_items_with_pivots') }} / sum(n_items_with_pivots) as p_control
    from {{ ref('int_layer_curves__averaged') }}
    where source_lang = 'all' and behaviour <> 'excluded' and is_read and p_pivot is not null
    group by run_id, layer

),

placed as (

    select
        *,
        row_number() over (partition by run_id order by layer) as from_first,
        row_number() over (partition by run_id order by layer desc) as from_last,
        row_number() over (partition by run_id order by p_pivot desc, layer asc) as from_peak
    from curves

),

final as (

    select
        run_id,
        count(*) as n_layers,
        max(case when from_first = 1 then p_pivot end) as p_first,
        max(case when from_last = 1 then p_pivot end) as p_last,
        max(case when from_peak = 1 then p_pivot end) as p_peak,
        max(case when from_peak = 1 then p_control end) as p_control_at_peak,
        max(case when from_peak = 1 then layer end) as peak_layer,
        min(p_pivot) as p_lowest
    from placed
    group by run_id

)

select * from final
