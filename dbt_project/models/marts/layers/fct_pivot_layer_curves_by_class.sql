-- One row per trace run, word class, value of the class and layer; words that share a token are left out.
with

traces as (

    select * from {{ ref('int_layer_traces__marked') }}
    -- NaN, from a model that diverged, spreads through the sum
    where {{ is_finite('p_top + p_source + p_target + coalesce(p_pivot, 0) + coalesce(p_control, 0) + entropy') }}

),

behaviours as (

    select * from {{ ref('fct_behaviours') }}
    where behaviour <> 'excluded'

),

classes as (

    select * from {{ ref('int_items__classed') }}

),

final as (

    select
        traces.run_id,
        classes.word_class,
        classes.class_value,
        traces.layer,
        traces.is_layer_read as is_read,
        {{ exact_avg('traces.p_pivot') }} as p_pivot,
        {{ exact_avg('traces.p_control') }} as p_control,
        {{ exact_avg('traces.p_source') }} as p_source,
        {{ exact_avg('traces.p_target') }} as p_target,
        count(*) as n_items
    from traces
    inner join behaviours
        on
            traces.run_id = behaviours.run_id
            and traces.item_id = behaviours.item_id
            and traces.source_lang = behaviours.source_lang
            and traces.target_lang = behaviours.target_lang
    inner join classes
        on
            behaviours.corpus = classes.corpus
            and behaviours.item_id = classes.item_id
            and behaviours.source_lang = classes.source_lang
            and behaviours.target_lang = classes.target_lang
    group by traces.run_id, classes.word_class, classes.class_value, traces.layer, traces.is_layer_read

)

select * from final
