-- One row per trace run, item and direction: does the model go straight to the target or through another word.
-- A word without a layer that counts is `unread`: its peak is over all layers, so that one can see what was there.
with

traces as (

    select * from {{ ref('int_layer_traces__marked') }}
    -- the lens is defined after a layer: embeddings (layer 0) are not read
    where layer > 0

),

runs as (

    select * from {{ ref('stg_runs') }}

),

ordered as (

    select
        *,
        row_number() over (
            partition by run_id, item_id, source_lang, target_lang
            order by case when is_counted then 0 else 1 end, p_top desc, layer desc
        ) as peak_order,
        row_number() over (
            partition by run_id, item_id, source_lang, target_lang
            order by layer desc
        ) as final_order
    from traces

),

peaks as (

    select * from ordered
    where peak_order = 1

),

finals as (

    select * from ordered
    where final_order = 1

),

elsewhere as (

    select
        run_id,
        item_id,
        source_lang,
        target_lang,
        max(p_top) as max_p_elsewhere,
        min(case when p_top >= {{ var('behaviour_threshold') }} then layer end) as threshold_layer
    from traces
    where not is_top_source and not is_top_target and is_counted
    group by run_id, item_id, source_lang, target_lang

),

final as (

    select
        peaks.run_id,
        peaks.item_id,
        peaks.source_lang,
        peaks.target_lang,
        runs.corpus,
        runs.experiment,
        runs.strategy,
        runs.seed,
        runs.model_id,
        case
            when peaks.shares_token then 'excluded'
            when not peaks.is_counted then 'unread'
            when peaks.top_token_id = finals.top_token_id then 'cooccurrence'
            when not peaks.is_top_source then 'pivot'
            else 'cooccurrence'
        end as behaviour,
        peaks.layer as peak_layer,
        peaks.top_token_id,
        peaks.top_token,
        peaks.p_top,
        peaks.is_top_pivot,
        finals.layer as final_layer,
        finals.top_token_id as final_token_id,
        finals.top_token as final_token,
        finals.is_top_target as is_final_target,
        case
            when peaks.shares_token then 'excluded'
            when not peaks.is_counted then 'unread'
            when elsewhere.max_p_elsewhere >= {{ var('behaviour_threshold') }} then 'pivot'
            else 'cooccurrence'
        end as behaviour_by_threshold,
        elsewhere.threshold_layer,
        elsewhere.max_p_elsewhere
    from peaks
    inner join finals
        on
            peaks.run_id = finals.run_id
            and peaks.item_id = finals.item_id
            and peaks.source_lang = finals.source_lang
            and peaks.target_lang = finals.target_lang
    inner join runs on peaks.run_id = runs.run_id
    left join elsewhere
        on
            peaks.run_id = elsewhere.run_id
            and peaks.item_id = elsewhere.item_id
            and peaks.source_lang = elsewhere.source_lang
            and peaks.target_lang = elsewhere.target_lang

)

select * from final
