-- One row per score run, direction (and all/all, the mean over directions) and word split.
with

item_scores as (

    select
        *,
        {{ to_units('score') }} as score_units,
        {{ to_units('score_without_space') }} as score_without_space_units
    from {{ ref('int_items__scored') }}
    where score is not null

),

splits as (

    select * from {{ ref('int_word_splits__listed') }}

),

resamples as (

    select * from {{ ref('int_scores__resampled') }}

),

runs as (

    select * from {{ ref('stg_runs') }}

),

of_pairs as (

    select
        item_scores.run_id,
        item_scores.source_lang,
        item_scores.target_lang,
        splits.word_split,
        count(*) as n_items,
        {{ units_mean('item_scores.score_units', '1') }} as score,
        {{ units_mean('item_scores.score_without_space_units', '1') }} as score_without_space,
        {{ exact_avg('case when item_scores.right_rank = 1 then 1 else 0 end') }} as first_rank_rate,
        {{ exact_avg('item_scores.chance_rate') }} as chance_rate
    from item_scores
    inner join splits on splits.word_split = 'all' or item_scores.word_split = splits.word_split
    group by item_scores.run_id, item_scores.source_lang, item_scores.target_lang, splits.word_split

),

n_items_of_runs as (

    select
        item_scores.run_id,
        splits.word_split,
        count(distinct item_scores.item_id) as n_items
    from item_scores
    inner join splits on splits.word_split = 'all' or item_scores.word_split = splits.word_split
    group by item_scores.run_id, splits.word_split

),

over_pairs as (

    select
        of_pairs.run_id,
        of_pairs.word_split,
        count(*) as n_pairs,
        {{ exact_avg('of_pairs.score') }} as score,
        {{ exact_avg('of_pairs.score_without_space') }} as score_without_space,
        {{ exact_avg('of_pairs.first_rank_rate') }} as first_rank_rate,
        {{ exact_avg('of_pairs.chance_rate') }} as chance_rate
    from of_pairs
    group by of_pairs.run_id, of_pairs.word_split

),

scores as (

    select
        run_id,
        source_lang,
        target_lang,
        word_split,
        n_items,
        cast(1 as bigint) as n_pairs,
        score,
        score_without_space,
        first_rank_rate,
        chance_rate
    from of_pairs

    union all

    select
        over_pairs.run_id,
        'all' as source_lang,
        'all' as target_lang,
        over_pairs.word_split,
        n_items_of_runs.n_items,
        over_pairs.n_pairs,
        over_pairs.score,
        over_pairs.score_without_space,
        over_pairs.first_rank_rate,
        over_pairs.chance_rate
    from over_pairs
    inner join n_items_of_runs
        on
            over_pairs.run_id = n_items_of_runs.run_id
            and over_pairs.word_split = n_items_of_runs.word_split

),

intervals as (

    select
        run_id,
        source_lang,
        target_lang,
        word_split,
        {{ quantile('score', 0.025) }} as ci_low,
        {{ quantile('score', 0.975) }} as ci_high
    from resamples
    group by run_id, source_lang, target_lang, word_split

),

final as (

    select
        scores.run_id,
        scores.source_lang,
        scores.target_lang,
        scores.word_split,
        runs.corpus,
        runs.experiment,
        runs.strategy,
        runs.seed,
        runs.model_id,
        scores.n_items,
        scores.n_pairs,
        scores.score,
        case when scores.n_items > 1 then intervals.ci_low end as ci_low,
        case when scores.n_items > 1 then intervals.ci_high end as ci_high,
        scores.score_without_space,
        scores.first_rank_rate,
        scores.chance_rate,
        {{ is_summary(['scores.source_lang', 'scores.word_split']) }} as is_summary
    from scores
    inner join runs on scores.run_id = runs.run_id
    left join intervals
        on
            scores.run_id = intervals.run_id
            and scores.source_lang = intervals.source_lang
            and scores.target_lang = intervals.target_lang
            and scores.word_split = intervals.word_split

)

select * from final
