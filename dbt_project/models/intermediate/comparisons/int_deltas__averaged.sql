-- One row per experiment, strategy, baseline, direction (and all/all, the mean over directions) and word split.
with

deltas as (

    select * from {{ ref('int_deltas__itemised') }}

),

by_seed as (

    select * from {{ ref('int_seed_deltas__averaged') }}

),

resamples as (

    select * from {{ ref('int_deltas__resampled') }}

),

splits as (

    select * from {{ ref('int_word_splits__listed') }}

),

of_pairs as (

    select
        deltas.experiment,
        deltas.strategy,
        deltas.baseline,
        deltas.source_lang,
        deltas.target_lang,
        splits.word_split,
        count(*) as n_items,
        {{ exact_avg('deltas.score') }} as score,
        {{ exact_avg('deltas.baseline_score') }} as baseline_score,
        {{ exact_avg('deltas.score_delta') }} as score_delta
    from deltas
    inner join splits on splits.word_split = 'all' or deltas.word_split = splits.word_split
    group by
        deltas.experiment,
        deltas.strategy,
        deltas.baseline,
        deltas.source_lang,
        deltas.target_lang,
        splits.word_split

),

n_items_of_comparisons as (

    select
        deltas.experiment,
        deltas.strategy,
        deltas.baseline,
        splits.word_split,
        count(distinct deltas.item_id) as n_items
    from deltas
    inner join splits on splits.word_split = 'all' or deltas.word_split = splits.word_split
    group by deltas.experiment, deltas.strategy, deltas.baseline, splits.word_split

),

over_pairs as (

    select
        experiment,
        strategy,
        baseline,
        word_split,
        {{ exact_avg('score') }} as score,
        {{ exact_avg('baseline_score') }} as baseline_score,
        {{ exact_avg('score_delta') }} as score_delta
    from of_pairs
    group by experiment, strategy, baseline, word_split

),

compared as (

    select
        experiment,
        strategy,
        baseline,
        source_lang,
        target_lang,
        word_split,
        n_items,
        score,
        baseline_score,
        score_delta
    from of_pairs

    union all

    select
        over_pairs.experiment,
        over_pairs.strategy,
        over_pairs.baseline,
        'all' as source_lang,
        'all' as target_lang,
        over_pairs.word_split,
        n_items_of_comparisons.n_items,
        over_pairs.score,
        over_pairs.baseline_score,
        over_pairs.score_delta
    from over_pairs
    inner join n_items_of_comparisons
        on
            over_pairs.experiment = n_items_of_comparisons.experiment
            and over_pairs.strategy = n_items_of_comparisons.strategy
            and over_pairs.baseline = n_items_of_comparisons.baseline
            and over_pairs.word_split = n_items_of_comparisons.word_split

),

item_intervals as (

    select
        experiment,
        strategy,
        baseline,
        source_lang,
        target_lang,
        word_split,
        {{ quantile('score_delta', 0.025) }} as ci_low,
        {{ quantile('score_delta', 0.975) }} as ci_high
    from resamples
    group by experiment, strategy, baseline, source_lang, target_lang, word_split

),

seed_means as (

    select
        experiment,
        strategy,
        baseline,
        source_lang,
        target_lang,
        word_split,
        count(*) as n_seeds,
        sum(case when score_delta > 0 then 1 else 0 end) as n_seeds_above,
        {{ exact_avg('score_delta') }} as score_delta
    from by_seed
    group by experiment, strategy, baseline, source_lang, target_lang, word_split

),

seed_errors as (

    select
        by_seed.experiment,
        by_seed.strategy,
        by_seed.baseline,
        by_seed.source_lang,
        by_seed.target_lang,
        by_seed.word_split,
        sqrt(
            {{ exact_sum('power(by_seed.score_delta - seed_means.score_delta, 2)') }}
            / nullif(count(*) - 1, 0) / count(*)
        ) as standard_error
    from by_seed
    inner join seed_means
        on
            by_seed.experiment = seed_means.experiment
            and by_seed.strategy = seed_means.strategy
            and by_seed.baseline = seed_means.baseline
            and by_seed.source_lang = seed_means.source_lang
            and by_seed.target_lang = seed_means.target_lang
            and by_seed.word_split = seed_means.word_split
    group by
        by_seed.experiment,
        by_seed.strategy,
        by_seed.baseline,
        by_seed.source_lang,
        by_seed.target_lang,
        by_seed.word_split

),

seed_intervals as (

    select
        seed_means.experiment,
        seed_means.strategy,
        seed_means.baseline,
        seed_means.source_lang,
        seed_means.target_lang,
        seed_means.word_split,
        seed_means.n_seeds,
        seed_means.n_seeds_above,
        seed_means.score_delta
        - {{ t_quantile_975('(seed_means.n_seeds - 1)') }} * seed_errors.standard_error as seed_ci_low,
        seed_means.score_delta
        + {{ t_quantile_975('(seed_means.n_seeds - 1)') }} * seed_errors.standard_error as seed_ci_high
    from seed_means
    inner join seed_errors
        on
            seed_means.experiment = seed_errors.experiment
            and seed_means.strategy = seed_errors.strategy
            and seed_means.baseline = seed_errors.baseline
            and seed_means.source_lang = seed_errors.source_lang
            and seed_means.target_lang = seed_errors.target_lang
            and seed_means.word_split = seed_errors.word_split

),

final as (

    select
        compared.experiment,
        compared.strategy,
        compared.baseline,
        compared.source_lang,
        compared.target_lang,
        compared.word_split,
        compared.score_delta,
        case when compared.n_items > 1 then item_intervals.ci_low end as ci_low,
        case when compared.n_items > 1 then item_intervals.ci_high end as ci_high,
        seed_intervals.n_seeds,
        cast(seed_intervals.n_seeds_above as bigint) as n_seeds_above,
        seed_intervals.seed_ci_low,
        seed_intervals.seed_ci_high,
        compared.n_items,
        compared.score,
        compared.baseline_score
    from compared
    inner join seed_intervals
        on
            compared.experiment = seed_intervals.experiment
            and compared.strategy = seed_intervals.strategy
            and compared.baseline = seed_intervals.baseline
            and compared.source_lang = seed_intervals.source_lang
            and compared.target_lang = seed_intervals.target_lang
            and compared.word_split = seed_intervals.word_split
    left join item_intervals
        on
            compared.experiment = item_intervals.experiment
            and compared.strategy = item_intervals.strategy
            and compared.baseline = item_intervals.baseline
            and compared.source_lang = item_intervals.source_lang
            and compared.target_lang = item_intervals.target_lang
            and compared.word_split = item_intervals.word_split

)

select * from final
