-- One row per trace run and direction (and all/all): how many translations are solved inside and lost at the end.
with

words as (

    select * from {{ ref('int_layer_words__followed') }}

),

cut as (

    select
        run_id,
        source_lang,
        target_lang,
        solved_layer,
        is_answered
    from words

    union all

    select
        run_id,
        'all' as source_lang,
        'all' as target_lang,
        solved_layer,
        is_answered
    from words

),

counted as (

    select
        run_id,
        source_lang,
        target_lang,
        count(*) as n_words,
        sum(case when is_answered then 1 else 0 end) as n_answered,
        sum(case when solved_layer is not null then 1 else 0 end) as n_solved_inside,
        sum(case when solved_layer is not null and not is_answered then 1 else 0 end) as n_lost,
        {{ exact_avg('solved_layer') }} as mean_solved_layer
    from cut
    group by run_id, source_lang, target_lang

),

final as (

    select
        run_id,
        source_lang,
        target_lang,
        n_words,
        cast(n_answered as bigint) as n_answered,
        cast(n_solved_inside as bigint) as n_solved_inside,
        cast(n_lost as bigint) as n_lost,
        cast(n_lost as double) / nullif(n_words - n_answered, 0) as barrier_share,
        mean_solved_layer,
        {{ is_summary(['source_lang']) }} as is_summary
    from counted

)

select * from final
