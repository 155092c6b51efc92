-- One row per sentence run and direction (and all/all, the mean over directions): chrF, and its change by training.
with

sentences as (

    select * from {{ ref('stg_sentence_scores') }}

),

chrf as (

    select * from {{ ref('int_sentences__scored') }}

),

pairs as (

    select * from {{ ref('int_sentence_runs__paired') }}

),

runs as (

    select * from {{ ref('stg_runs') }}

),

compared as (

    select
        sentences.run_id,
        sentences.sentence_set_id,
        sentences.source_lang,
        sentences.target_lang,
        sentences.chrf,
        case when sentences.stopped_by = 'length' then 0 else 1 end as has_ended,
        pairs.baseline_run_id,
        sentences.chrf - earlier.chrf as delta
    from sentences
    left join pairs on sentences.run_id = pairs.run_id
    left join sentences as earlier
        on
            pairs.baseline_run_id = earlier.run_id
            and sentences.sentence_id = earlier.sentence_id
            and sentences.source_lang = earlier.source_lang
            and sentences.target_lang = earlier.target_lang

),

summed as (

    select
        run_id,
        sentence_set_id,
        source_lang,
        target_lang,
        baseline_run_id,
        count(*) as n_sentences,
        {{ exact_avg('has_ended') }} as ended_rate,
        {{ exact_avg('chrf') }} as mean_sentence_chrf,
        {{ exact_sum('chrf * chrf') }} as chrf_squares,
        {{ exact_avg('delta') }} as mean_delta,
        {{ exact_sum('delta * delta') }} as delta_squares,
        count(delta) as n_deltas
    from compared
    group by run_id, sentence_set_id, source_lang, target_lang, baseline_run_id

),

of_directions as (

    select
        summed.run_id,
        summed.sentence_set_id,
        summed.source_lang,
        summed.target_lang,
        summed.baseline_run_id,
        summed.n_sentences,
        chrf.chrf,
        chrf.chrf_pp,
        chrf.chrf - earlier.chrf as chrf_delta,
        summed.mean_sentence_chrf,
        {{ squared_error_of_mean('summed.chrf_squares', 'summed.mean_sentence_chrf', 'summed.n_sentences') }}
            as squared_error,
        summed.mean_delta,
        {{ squared_error_of_mean('summed.delta_squares', 'summed.mean_delta', 'summed.n_deltas') }}
            as squared_error_of_delta,
        summed.ended_rate
    from summed
    inner join chrf
        on
            summed.run_id = chrf.run_id
            and summed.source_lang = chrf.source_lang
            and summed.target_lang = chrf.target_lang
    left join chrf as earlier
        on
            summed.baseline_run_id = earlier.run_id
            and summed.source_lang = earlier.source_lang
            and summed.target_lang = earlier.target_lang

),

-- directions share their sentences, so no interval is given for their mean
over_directions as (

    select
        run_id,
        sentence_set_id,
        'all' as source_lang,
        'all' as target_lang,
        baseline_run_id,
        max(n_sentences) as n_sentences,
        {{ exact_avg('chrf') }} as chrf,
        {{ exact_avg('chrf_pp') }} as chrf_pp,
        {{ exact_avg('chrf_delta') }} as chrf_delta,
        {{ exact_avg('mean_sentence_chrf') }} as mean_sentence_chrf,
        cast(null as double) as squared_error,
        {{ exact_avg('mean_delta') }} as mean_delta,
        cast(null as double) as squared_error_of_delta,
        {{ exact_avg('ended_rate') }} as ended_rate
    from of_directions
    group by run_id, sentence_set_id, baseline_run_id

),

scores as (

    select * from of_directions
    union all
    select * from over_directions

),

final as (

    select
        scores.run_id,
        scores.source_lang,
        scores.target_lang,
        runs.corpus,
        runs.experiment,
        runs.strategy,
        runs.seed,
        runs.model_id,
        scores.sentence_set_id,
        scores.baseline_run_id,
        scores.n_sentences,
        scores.chrf,
        scores.chrf_pp,
        scores.chrf_delta,
        scores.mean_sentence_chrf,
        scores.mean_sentence_chrf - 1.96 * sqrt(scores.squared_error) as ci_low,
        scores.mean_sentence_chrf + 1.96 * sqrt(scores.squared_error) as ci_high,
        scores.mean_delta as mean_sentence_chrf_delta,
        scores.mean_delta - 1.96 * sqrt(scores.squared_error_of_delta) as delta_ci_low,
        scores.mean_delta + 1.96 * sqrt(scores.squared_error_of_delta) as delta_ci_high,
        scores.ended_rate,
        {{ is_summary(['scores.source_lang']) }} as is_summary
    from scores
    inner join runs on scores.run_id = runs.run_id

)

select * from final
