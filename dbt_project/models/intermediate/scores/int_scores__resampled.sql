-- One row per score run, direction (and all/all, the mean over directions), word split and bootstrap resample.
with

item_scores as (

    select
        run_id,
        item_id,
        source_lang,
        target_lang,
        word_split,
        {{ to_units('score') }} as score_units,
        -- one small key in place of four long ones: the join below is the largest of the project
        dense_rank() over (order by run_id, source_lang, target_lang, word_split) as cell
    from {{ ref('int_items__scored') }}
    where score is not null

),

weights as (

    select * from {{ ref('int_item_weights__drawn') }}

),

cells as (

    select distinct
        cell,
        run_id,
        source_lang,
        target_lang,
        word_split
    from item_scores

),

weighted as (

    select
        item_scores.cell,
        weights.resample,
        {{ whole_sum('weights.weight * item_scores.score_units') }} as score_units,
        sum(weights.weight) as weight
    from item_scores
    inner join weights on item_scores.item_id = weights.item_id
    group by item_scores.cell, weights.resample

),

named as (

    select
        cells.run_id,
        cells.source_lang,
        cells.target_lang,
        cells.word_split,
        weighted.resample,
        weighted.score_units,
        weighted.weight
    from weighted
    inner join cells on weighted.cell = cells.cell

),

of_pairs as (

    select
        run_id,
        source_lang,
        target_lang,
        word_split,
        resample,
        {{ units_mean('score_units', 'weight') }} as score
    from named
    where word_split is not null
    group by run_id, source_lang, target_lang, word_split, resample

    union all

    select
        run_id,
        source_lang,
        target_lang,
        'all' as word_split,
        resample,
        {{ units_mean('score_units', 'weight') }} as score
    from named
    group by run_id, source_lang, target_lang, resample

),

final as (

    select
        run_id,
        source_lang,
        target_lang,
        word_split,
        resample,
        score
    from of_pairs

    union all

    select
        run_id,
        'all' as source_lang,
        'all' as target_lang,
        word_split,
        resample,
        {{ exact_avg('score') }} as score
    from of_pairs
    group by run_id, word_split, resample

)

select * from final
