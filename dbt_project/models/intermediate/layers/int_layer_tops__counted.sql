-- One row per trace run, layer and top token: in how many prompts the layer shows it.
with

traces as (

    select * from {{ ref('stg_layer_traces') }}
    -- NaN comes from a model that diverged
    where {{ is_finite('p_top') }}

),

counted as (

    select
        run_id,
        layer,
        top_token_id,
        max(top_token) as top_token,
        count(*) as n_prompts
    from traces
    group by run_id, layer, top_token_id

),

final as (

    select
        run_id,
        layer,
        top_token_id,
        top_token,
        n_prompts,
        cast(n_prompts as double) / sum(n_prompts) over (partition by run_id, layer) as share,
        row_number() over (partition by run_id, layer order by n_prompts desc, top_token_id asc) as top_order
    from counted

)

select * from final
