-- One row per experiment, strategy, baseline, word class, value of the class and word split; all directions together.
with

deltas as (

    select * from {{ ref('int_deltas__itemised') }}

),

classes as (

    select * from {{ ref('int_items__classed') }}

),

weights as (

    select * from {{ ref('int_bootstrap__weights') }}

),

splits as (

    select 'find' as word_split
    union all
    select 'judge' as word_split
    union all
    select 'all' as word_split

),

itemised as (

    select
        deltas.experiment,
        deltas.strategy,
        deltas.baseline,
        deltas.item_id,
        deltas.word_split,
        classes.word_class,
        classes.class_value,
        count(*) as n_directions,
        max(deltas.n_seeds) as n_seeds,
        sum({{ to_units('deltas.score') }}) as score_units,
        sum({{ to_units('deltas.baseline_score') }}) as baseline_units,
        sum({{ to_units('deltas.score_delta') }}) as delta_units
    from deltas
    inner join classes
        on
            deltas.corpus = classes.corpus
            and deltas.item_id = classes.item_id
            and deltas.source_lang = classes.source_lang
            and deltas.target_lang = classes.target_lang
    group by
        deltas.experiment,
        deltas.strategy,
        deltas.baseline,
        deltas.item_id,
        deltas.word_split,
        classes.word_class,
        classes.class_value

),

compared as (

    select
        itemised.experiment,
        itemised.strategy,
        itemised.baseline,
        itemised.word_class,
        itemised.class_value,
        splits.word_split,
        max(itemised.n_seeds) as n_seeds,
        count(*) as n_items,
        cast(sum(itemised.n_directions) as bigint) as n_scored,
        {{ units_mean('itemised.score_units', 'itemised.n_directions') }} as score,
        {{ units_mean('itemised.baseline_units', 'itemised.n_directions') }} as baseline_score,
        {{ units_mean('itemised.delta_units', 'itemised.n_directions') }} as score_delta
    from itemised
    inner join splits on splits.word_split = 'all' or itemised.word_split = splits.word_split
    group by
        itemised.experiment,
        itemised.strategy,
        itemised.baseline,
        itemised.word_class,
        itemised.class_value,
        splits.word_split

),

weighted as (

    select
        itemised.experiment,
        itemised.strategy,
        itemised.baseline,
        itemised.word_class,
        itemised.class_value,
        itemised.word_split,
        weights.resample,
        sum(weights.weight * itemised.delta_units) as delta_units,
        sum(weights.weight * itemised.n_directions) as weight
    from itemised
    inner join weights on itemised.item_id = weights.item_id
    group by
        itemised.experiment,
        itemised.strategy,
        itemised.baseline,
        itemised.word_class,
        itemised.class_value,
        itemised.word_split,
        weights.resample

),

resamples as (

    select
        weighted.experiment,
        weighted.strategy,
        weighted.baseline,
        weighted.word_class,
        weighted.class_value,
        splits.word_split,
        weighted.resample,
        {{ units_mean('weighted.delta_units', 'weighted.weight') }} as score_delta
    from weighted
    inner join splits on splits.word_split = 'all' or weighted.word_split = splits.word_split
    group by
        weighted.experiment,
        weighted.strategy,
        weighted.baseline,
        weighted.word_class,
        weighted.class_value,
        splits.word_split,
        weighted.resample

),

intervals as (

    select
        experiment,
        strategy,
        baseline,
        word_class,
        class_value,
        word_split,
        {{ quantile('score_delta', 0.025) }} as ci_low,
        {{ quantile('score_delta', 0.975) }} as ci_high,
        {{ bootstrap_p_value('score_delta') }} as p_value
    from resamples
    group by experiment, strategy, baseline, word_class, class_value, word_split

),

final as (

    select
        compared.experiment,
        compared.strategy,
        compared.baseline,
        compared.word_class,
        compared.class_value,
        compared.word_split,
        compared.score_delta,
        case when compared.n_items > 1 then intervals.ci_low end as ci_low,
        case when compared.n_items > 1 then intervals.ci_high end as ci_high,
        cast(case when compared.n_items > 1 then intervals.p_value end as double) as p_value,
        compared.n_seeds,
        compared.n_items,
        compared.n_scored,
        compared.score,
        compared.baseline_score
    from compared
    left join intervals
        on
            compared.experiment = intervals.experiment
            and compared.strategy = intervals.strategy
            and compared.baseline = intervals.baseline
            and compared.word_class = intervals.word_class
            and compared.class_value = intervals.class_value
            and compared.word_split = intervals.word_split

)

select * from final
