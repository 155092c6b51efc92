-- One row per trace run, direction (and all/all), third language and layer: are the pair's pivots more than the item's
-- word in that language?
with

traces as (

    select * from {{ ref('int_layer_traces__marked') }}
    where p_pivot_beyond_words is not null and {{ is_finite('p_pivot + p_pivot_beyond_words') }}

),

words as (

    select * from {{ ref('stg_layer_words') }}
    where lang_role = 'other' and not shares_token and {{ is_finite('p') }}

),

joined as (

    select
        traces.run_id,
        traces.source_lang,
        traces.target_lang,
        words.lang,
        traces.layer,
        traces.is_layer_read as is_read,
        words.p as p_word,
        traces.p_pivot,
        traces.p_pivot_beyond_words
    from traces
    inner join words
        on
            traces.run_id = words.run_id
            and traces.item_id = words.item_id
            and traces.source_lang = words.source_lang
            and traces.target_lang = words.target_lang
            and traces.layer = words.layer

),

cut as (

    select
        run_id,
        source_lang,
        target_lang,
        lang,
        layer,
        is_read,
        p_word,
        p_pivot,
        p_pivot_beyond_words
    from joined

    union all

    select
        run_id,
        'all' as source_lang,
        'all' as target_lang,
        lang,
        layer,
        is_read,
        p_word,
        p_pivot,
        p_pivot_beyond_words
    from joined

),

final as (

    select
        run_id,
        source_lang,
        target_lang,
        lang,
        layer,
        count(*) as n_words,
        {{ exact_avg('p_word') }} as p_word,
        {{ exact_avg('p_pivot') }} as p_pivot,
        {{ exact_avg('p_pivot_beyond_words') }} as p_pivot_beyond_words,
        {{ exact_avg('case when p_pivot_beyond_words > p_word then 1 else 0 end') }} as pivot_above_word_rate,
        is_read,
        {{ is_summary(['source_lang']) }} as is_summary
    from cut
    group by run_id, source_lang, target_lang, lang, layer, is_read

)

select * from final
