-- One row per trace run, item, direction and layer (NaN left out): the trace, with what of it counts. Tokens that the
-- lens shows whatever the prompt is are no pivots: not as a layer's top token, and where a pair's exported pivots hold
-- one, its pivot probability is about that token and is left out.
with

traces as (

    select * from {{ ref('stg_layer_traces') }}
    where {{ is_finite('p_top') }}

),

layers as (

    select * from {{ ref('int_layers__measured') }}

),

constant_tokens as (

    select * from {{ ref('int_constant_tokens__listed') }}

),

finals as (

    select
        run_id,
        max(layer) as last_layer
    from layers
    group by run_id

),

marked as (

    select
        traces.*,
        layers.is_read as is_layer_read,
        traces.layer = finals.last_layer as is_last_layer,
        constant_tokens.token_id is not null as is_top_constant
    from traces
    inner join layers on traces.run_id = layers.run_id and traces.layer = layers.layer
    inner join finals on traces.run_id = finals.run_id
    left join constant_tokens
        on
            traces.run_id = constant_tokens.run_id
            and traces.top_token_id = constant_tokens.token_id

),

with_constants as (

    select distinct
        run_id,
        item_id,
        source_lang,
        target_lang
    from marked
    where is_top_constant and is_top_pivot

),

final as (

    select
        marked.run_id,
        marked.item_id,
        marked.source_lang,
        marked.target_lang,
        marked.layer,
        marked.top_token_id,
        marked.top_token,
        marked.p_top,
        marked.p_source,
        marked.p_target,
        case when with_constants.run_id is null then marked.p_pivot end as p_pivot,
        case when with_constants.run_id is null then marked.p_control end as p_control,
        marked.entropy,
        marked.is_top_source,
        marked.is_top_target,
        marked.is_top_pivot and not marked.is_top_constant as is_top_pivot,
        marked.shares_token,
        case when with_constants.run_id is null then marked.p_pivot_beyond_words end as p_pivot_beyond_words,
        marked.is_layer_read,
        -- what the model answers in the end, and tokens of the two words, are no artefacts
        marked.is_layer_read
        and (
            not marked.is_top_constant
            or marked.is_last_layer
            or marked.is_top_source
            or marked.is_top_target
        ) as is_counted
    from marked
    left join with_constants
        on
            marked.run_id = with_constants.run_id
            and marked.item_id = with_constants.item_id
            and marked.source_lang = with_constants.source_lang
            and marked.target_lang = with_constants.target_lang

)

select * from final
