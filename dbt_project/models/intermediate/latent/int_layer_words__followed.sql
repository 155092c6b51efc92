-- One row per trace run, item and direction: on which layers that count its words stand on top. Pairs whose words begin
-- with the same token are left out, and so are runs without a layer that counts.
with

words as (

    select * from {{ ref('stg_layer_words') }}
    where {{ is_finite('p') }}

),

layers as (

    select * from {{ ref('int_layers__measured') }}

),

readable as (

    select
        run_id,
        max(layer) as last_layer
    from layers
    group by run_id
    having max(case when is_read then 1 else 0 end) = 1

),

placed as (

    select
        words.*,
        layers.is_read,
        words.layer = readable.last_layer as is_last
    from words
    inner join layers on words.run_id = layers.run_id and words.layer = layers.layer
    inner join readable on words.run_id = readable.run_id

),

followed as (

    select
        run_id,
        item_id,
        source_lang,
        target_lang,
        max(case when lang_role <> 'other' and shares_token then 1 else 0 end) as n_shared,
        min(case when is_read and lang_role = 'source' and word_rank = 1 then layer end) as source_layer,
        min(case when is_read and lang_role = 'target' and word_rank = 1 then layer end) as target_layer,
        -- in any language but that of the question: what such a word shares with one of the two is counted there
        min(
            case
                when
                    is_read and not is_last and word_rank = 1
                    and (lang_role = 'target' or (lang_role = 'other' and not shares_token))
                    then layer
            end
        ) as solved_layer,
        max(case when is_last and lang_role = 'target' and word_rank = 1 then 1 else 0 end) = 1 as is_answered,
        max(case when is_last and lang_role = 'source' and word_rank = 1 then 1 else 0 end) = 1 as is_copied
    from placed
    group by run_id, item_id, source_lang, target_lang

),

final as (

    select
        run_id,
        item_id,
        source_lang,
        target_lang,
        source_layer,
        target_layer,
        solved_layer,
        is_answered,
        is_copied
    from followed
    where n_shared = 0

)

select * from final
