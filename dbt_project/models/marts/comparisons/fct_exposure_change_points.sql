-- One row per training run: from how many common appearances of its two words on a pair scores differently.
with

thresholds as (

    select * from {{ ref('int_exposure_thresholds__fitted') }}

),

item_scores as (

    select * from {{ ref('int_item_scores__exposed') }}

),

runs as (

    select * from {{ ref('stg_runs') }}

),

sizes as (

    select
        run_id,
        count(distinct score_run_id) as n_checkpoints,
        count(distinct item_id) as n_items,
        cast(sum(n_words) as bigint) as n_words,
        cast(sum(case when exposure_level > 0 then n_words else 0 end) as bigint) as n_words_together
    from item_scores
    group by run_id

),

-- the spread that is left is least where most is explained; the lowest of equals
ranked as (

    select
        run_id,
        resample,
        exposure_level,
        row_number() over (
            partition by run_id, resample
            order by {{ rounded('explained_spread', 12) }} desc, exposure_level
        ) as fit_rank
    from thresholds

),

fitted as (

    select
        thresholds.run_id,
        thresholds.exposure_level,
        thresholds.score_change,
        thresholds.start_score_change
    from thresholds
    inner join ranked
        on
            thresholds.run_id = ranked.run_id
            and thresholds.resample = ranked.resample
            and thresholds.exposure_level = ranked.exposure_level
    where ranked.resample = 0 and ranked.fit_rank = 1

),

points as (

    select
        run_id,
        exposure_level,
        count(*) as n_resamples
    from ranked
    where resample > 0 and fit_rank = 1
    group by run_id, exposure_level

),

cumulated as (

    select
        run_id,
        exposure_level,
        n_resamples,
        sum(n_resamples) over (partition by run_id) as n_resamples_of_run,
        {{ unit_rate(
            'sum(n_resamples) over (partition by run_id order by exposure_level)',
            'sum(n_resamples) over (partition by run_id)'
        ) }} as share_up_to
    from points

),

point_intervals as (

    select
        cumulated.run_id,
        min(case when cumulated.share_up_to >= 0.025e0 then cumulated.exposure_level end) as low_level,
        min(case when cumulated.share_up_to >= 0.975e0 then cumulated.exposure_level end) as high_level,
        {{ unit_rate(
            'sum(case when cumulated.exposure_level = fitted.exposure_level then cumulated.n_resamples else 0 end)',
            'max(cumulated.n_resamples_of_run)'
        ) }} as same_point_share
    from cumulated
    inner join fitted on cumulated.run_id = fitted.run_id
    group by cumulated.run_id

),

change_intervals as (

    select
        thresholds.run_id,
        {{ quantile('thresholds.score_change', 0.025) }} as score_change_ci_low,
        {{ quantile('thresholds.score_change', 0.975) }} as score_change_ci_high,
        {{ quantile('thresholds.score_change - thresholds.start_score_change', 0.025) }} as gain_change_ci_low,
        {{ quantile('thresholds.score_change - thresholds.start_score_change', 0.975) }} as gain_change_ci_high
    from thresholds
    inner join fitted
        on
            thresholds.run_id = fitted.run_id
            and thresholds.exposure_level = fitted.exposure_level
    where thresholds.resample > 0
    group by thresholds.run_id

),

final as (

    select
        fitted.run_id,
        runs.corpus,
        runs.strategy,
        runs.seed,
        runs.model_id,
        sizes.n_checkpoints,
        sizes.n_items,
        sizes.n_words,
        sizes.n_words_together,
        cast(power(2, fitted.exposure_level - 1) as bigint) as change_point,
        cast(power(2, point_intervals.low_level - 1) as bigint) as ci_low,
        cast(power(2, point_intervals.high_level - 1) as bigint) as ci_high,
        point_intervals.same_point_share,
        fitted.score_change,
        change_intervals.score_change_ci_low,
        change_intervals.score_change_ci_high,
        fitted.start_score_change,
        fitted.score_change - fitted.start_score_change as gain_change,
        change_intervals.gain_change_ci_low,
        change_intervals.gain_change_ci_high
    from fitted
    inner join runs on fitted.run_id = runs.run_id
    inner join sizes on fitted.run_id = sizes.run_id
    left join point_intervals on fitted.run_id = point_intervals.run_id
    left join change_intervals on fitted.run_id = change_intervals.run_id

)

select * from final
