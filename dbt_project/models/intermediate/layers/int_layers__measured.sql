-- One row per trace run and layer: does what the lens shows there depend on the prompt, and does the layer count.
with

traces as (

    select * from {{ ref('stg_layer_traces') }}
    where {{ is_finite('p_top') }}

),

tops as (

    select * from {{ ref('int_layer_tops__counted') }}

),

sizes as (

    select
        run_id,
        max(layer) as last_layer,
        count(distinct item_id) as n_items
    from traces
    group by run_id

),

finals as (

    select
        traces.run_id,
        traces.item_id,
        traces.source_lang,
        traces.target_lang,
        traces.top_token_id
    from traces
    inner join sizes on traces.run_id = sizes.run_id and traces.layer = sizes.last_layer

),

averaged as (

    select
        traces.run_id,
        traces.layer,
        count(*) as n_prompts,
        {{ exact_avg('traces.p_top') }} as p_top,
        {{ exact_avg('case when traces.top_token_id = finals.top_token_id then 1 else 0 end') }} as final_agreement
    from traces
    inner join finals
        on
            traces.run_id = finals.run_id
            and traces.item_id = finals.item_id
            and traces.source_lang = finals.source_lang
            and traces.target_lang = finals.target_lang
    group by traces.run_id, traces.layer

),

spread as (

    select
        run_id,
        layer,
        count(*) as n_top_tokens,
        max(case when top_order = 1 then top_token_id end) as modal_token_id,
        max(case when top_order = 1 then top_token end) as modal_token,
        max(share) as modal_share,
        {{ exact_sum('-share * ln(share)') }} as top_entropy
    from tops
    group by run_id, layer

),

varied as (

    select
        spread.run_id,
        spread.layer,
        averaged.n_prompts,
        sizes.n_items,
        spread.n_top_tokens,
        spread.modal_token_id,
        spread.modal_token,
        spread.modal_share,
        spread.top_entropy,
        averaged.final_agreement,
        averaged.p_top,
        sizes.last_layer,
        -- of few items an answer alone can hold a fifth of the prompts: nothing is known, so every layer counts
        sizes.n_items < {{ var('lens_min_items') }}
        or spread.modal_share <= {{ var('lens_max_modal_share') }} as has_varied_tops
    from spread
    inner join averaged on spread.run_id = averaged.run_id and spread.layer = averaged.layer
    inner join sizes on spread.run_id = sizes.run_id

),

-- the last layer is the model's answer: with no other to read there is no way to it that could be seen
readable as (

    select distinct run_id
    from varied
    where has_varied_tops and layer > 0 and layer < last_layer

),

final as (

    select
        varied.run_id,
        varied.layer,
        varied.n_prompts,
        varied.n_items,
        varied.n_top_tokens,
        varied.modal_token_id,
        varied.modal_token,
        varied.modal_share,
        varied.top_entropy,
        varied.final_agreement,
        varied.p_top,
        varied.layer > 0 and varied.has_varied_tops and readable.run_id is not null as is_read
    from varied
    left join readable on varied.run_id = readable.run_id

)

select * from final
