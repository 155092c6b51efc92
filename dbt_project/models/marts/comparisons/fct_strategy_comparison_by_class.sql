-- One row per experiment, strategy, baseline, word class, value of the class and word split; all directions together.
with

strategies as (

    select * from {{ ref('int_strategies__listed') }}

),

itemised as (

    select * from {{ ref('int_class_deltas__itemised') }}

),

resamples as (

    select * from {{ ref('int_class_deltas__resampled') }}

),

splits as (

    select * from {{ ref('int_word_splits__listed') }}

),

tested as (

    select * from {{ ref('int_outcome_deltas__tested') }}
    where outcome = 'score' and word_class <> 'all' and null_round = 0

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

intervals as (

    select
        experiment,
        strategy,
        baseline,
        word_class,
        class_value,
        word_split,
        {{ quantile('score_delta', 0.025) }} as ci_low,
        {{ quantile('score_delta', 0.975) }} as ci_high
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
        tested.p_value,
        compared.n_seeds,
        compared.n_items,
        compared.n_scored,
        compared.score,
        compared.baseline_score,
        tested.ci_low as crossed_ci_low,
        tested.ci_high as crossed_ci_high,
        {{ is_summary(['compared.word_split']) }} as is_summary,
        -- a strategy that is no longer listed is nobody's baseline
        coalesce(
            strategies.is_baseline and strategies.display_order < baselines.display_order, false
        ) as is_mirrored
    from compared
    left join strategies on compared.strategy = strategies.strategy
    left join strategies as baselines on compared.baseline = baselines.strategy
    left join intervals
        on
            compared.experiment = intervals.experiment
            and compared.strategy = intervals.strategy
            and compared.baseline = intervals.baseline
            and compared.word_class = intervals.word_class
            and compared.class_value = intervals.class_value
            and compared.word_split = intervals.word_split
    left join tested
        on
            compared.experiment = tested.experiment
            and compared.strategy = tested.strategy
            and compared.baseline = tested.baseline
            and compared.word_class = tested.word_class
            and compared.class_value = tested.class_value
            and compared.word_split = tested.word_split

)

select * from final
