-- One row per trace run and direction (and all/all): how often the source word itself stands on top of a layer.
with

words as (

    select * from {{ ref('int_layer_words__followed') }}

),

cut as (

    select
        run_id,
        source_lang,
        target_lang,
        source_layer,
        target_layer,
        is_copied
    from words

    union all

    select
        run_id,
        'all' as source_lang,
        'all' as target_lang,
        source_layer,
        target_layer,
        is_copied
    from words

),

final as (

    select
        run_id,
        source_lang,
        target_lang,
        count(*) as n_words,
        {{ exact_avg('case when source_layer is not null then 1 else 0 end') }} as copy_rate,
        {{ exact_avg('case when target_layer is not null then 1 else 0 end') }} as target_rate,
        count(case when source_layer is not null and target_layer is not null then 1 end) as n_words_with_both,
        {{ exact_avg(
            'case when source_layer is not null and target_layer is not null'
            ~ ' then case when source_layer < target_layer then 1 else 0 end end'
        ) }} as copied_first_rate,
        {{ exact_avg('case when is_copied then 1 else 0 end') }} as copied_answer_rate,
        {{ exact_avg('source_layer') }} as mean_source_layer,
        {{ exact_avg('target_layer') }} as mean_target_layer,
        {{ is_summary(['source_lang']) }} as is_summary
    from cut
    group by run_id, source_lang, target_lang

)

select * from final
