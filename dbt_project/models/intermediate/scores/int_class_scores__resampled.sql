-- One row per score run, word class and value, word split and bootstrap resample; all directions together.
with

itemised as (

    select
        *,
        -- one small key in place of long ones: the join below is large
        dense_rank() over (
            order by run_id, word_class, class_value, word_split
        ) as cell
    from {{ ref('int_class_scores__itemised') }}

),

weights as (

    select * from {{ ref('int_item_weights__drawn') }}

),

splits as (

    select * from {{ ref('int_word_splits__listed') }}

),

cells as (

    select distinct
        cell,
        run_id,
        word_class,
        class_value,
        word_split
    from itemised

),

weighted as (

    select
        itemised.cell,
        weights.resample,
        {{ whole_sum('weights.weight * itemised.score_units') }} as score_units,
        sum(weights.weight * itemised.n_directions) as weight
    from itemised
    inner join weights on itemised.item_id = weights.item_id
    group by itemised.cell, weights.resample

),

final as (

    select
        cells.run_id,
        cells.word_class,
        cells.class_value,
        splits.word_split,
        weighted.resample,
        {{ units_mean('weighted.score_units', 'weighted.weight') }} as score
    from weighted
    inner join cells on weighted.cell = cells.cell
    inner join splits on splits.word_split = 'all' or cells.word_split = splits.word_split
    group by
        cells.run_id,
        cells.word_class,
        cells.class_value,
        splits.word_split,
        weighted.resample

)

select * from final
