-- One row per experiment, strategy, baseline, direction (and all/all), word split and bootstrap resample.
with

deltas as (

    select
        experiment,
        strategy,
        baseline,
        item_id,
        source_lang,
        target_lang,
        word_split,
        {{ to_units('score_delta') }} as delta_units,
        -- one small key in place of six long ones: the join below is large
        dense_rank() over (
            order by experiment, strategy, baseline, source_lang, target_lang, word_split
        ) as cell
    from {{ ref('int_deltas__itemised') }}

),

weights as (

    select * from {{ ref('int_item_weights__drawn') }}

),

cells as (

    select distinct
        cell,
        experiment,
        strategy,
        baseline,
        source_lang,
        target_lang,
        word_split
    from deltas

),

weighted as (

    select
        deltas.cell,
        weights.resample,
        {{ whole_sum('weights.weight * deltas.delta_units') }} as delta_units,
        sum(weights.weight) as weight
    from deltas
    inner join weights on deltas.item_id = weights.item_id
    group by deltas.cell, weights.resample

),

named as (

    select
        cells.experiment,
        cells.strategy,
        cells.baseline,
        cells.source_lang,
        cells.target_lang,
        cells.word_split,
        weighted.resample,
        weighted.delta_units,
        weighted.weight
    from weighted
    inner join cells on weighted.cell = cells.cell

),

of_pairs as (

    select
        experiment,
        strategy,
        baseline,
        source_lang,
        target_lang,
        word_split,
        resample,
        {{ units_mean('delta_units', 'weight') }} as score_delta
    from named
    where word_split is not null
    group by experiment, strategy, baseline, source_lang, target_lang, word_split, resample

    union all

    select
        experiment,
        strategy,
        baseline,
        source_lang,
        target_lang,
        'all' as word_split,
        resample,
        {{ units_mean('delta_units', 'weight') }} as score_delta
    from named
    group by experiment, strategy, baseline, source_lang, target_lang, resample

),

final as (

    select
        experiment,
        strategy,
        baseline,
        source_lang,
        target_lang,
        word_split,
        resample,
        score_delta
    from of_pairs

    union all

    select
        experiment,
        strategy,
        baseline,
        'all' as source_lang,
        'all' as target_lang,
        word_split,
        resample,
        {{ exact_avg('score_delta') }} as score_delta
    from of_pairs
    group by experiment, strategy, baseline, word_split, resample

)

select * from final
