-- One row per score run, word class, value of the class and word split; all directions together.
with

itemised as (

    select * from {{ ref('int_class_scores__itemised') }}

),

splits as (

    select * from {{ ref('int_word_splits__listed') }}

),

resamples as (

    select * from {{ ref('int_class_scores__resampled') }}

),

runs as (

    select * from {{ ref('stg_runs') }}

),

scores as (

    select
        itemised.run_id,
        itemised.word_class,
        itemised.class_value,
        splits.word_split,
        count(*) as n_items,
        cast(sum(itemised.n_directions) as bigint) as n_scored,
        {{ units_mean('itemised.score_units', 'itemised.n_directions') }} as score,
        cast(sum(itemised.n_first_ranks) as double) / sum(itemised.n_directions) as first_rank_rate,
        {{ exact_sum('itemised.expected_first_ranks') }} / sum(itemised.n_directions) as chance_rate
    from itemised
    inner join splits on splits.word_split = 'all' or itemised.word_split = splits.word_split
    group by itemised.run_id, itemised.word_class, itemised.class_value, splits.word_split

),

intervals as (

    select
        run_id,
        word_class,
        class_value,
        word_split,
        {{ quantile('score', 0.025) }} as ci_low,
        {{ quantile('score', 0.975) }} as ci_high
    from resamples
    group by run_id, word_class, class_value, word_split

),

final as (

    select
        scores.run_id,
        scores.word_class,
        scores.class_value,
        scores.word_split,
        runs.corpus,
        runs.experiment,
        runs.strategy,
        runs.seed,
        runs.model_id,
        scores.n_items,
        scores.n_scored,
        scores.score,
        case when scores.n_items > 1 then intervals.ci_low end as ci_low,
        case when scores.n_items > 1 then intervals.ci_high end as ci_high,
        scores.first_rank_rate,
        scores.chance_rate,
        {{ is_summary(['scores.word_split']) }} as is_summary
    from scores
    inner join runs on scores.run_id = runs.run_id
    left join intervals
        on
            scores.run_id = intervals.run_id
            and scores.word_class = intervals.word_class
            and scores.class_value = intervals.class_value
            and scores.word_split = intervals.word_split

)

select * from final
