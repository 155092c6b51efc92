-- Does a word gain because its documents show it more often?
-- Read: judge items by how much more often the strategy shows their words than random_multilingual does. If the gain
-- grows from row to row, exposure explains it; if it is the same in all, something else does.
-- In short: strategy {strategy}, {exposure}: {score_delta} over {n_scored} words and directions.
with

exports as (

    select distinct
        export_id,
        corpus,
        strategy
    from {{ ref('stg_exports') }}
    where strategy <> 'held_out'

),

shown as (

    select
        exports.corpus,
        exports.strategy,
        items.item_id,
        sum(exposure.n_matches) as n_matches
    from {{ ref('fct_word_exposure') }} as exposure
    inner join exports on exposure.export_id = exports.export_id
    inner join {{ ref('stg_translation_items') }} as items on exposure.word_id = items.word_id
    group by exports.corpus, exports.strategy, items.item_id

),

scores as (

    select
        corpus,
        experiment,
        strategy,
        item_id,
        source_lang,
        target_lang,
        avg(score) as score
    from {{ ref('fct_item_scores') }}
    where word_split = 'judge' and experiment is not null and score is not null
    group by corpus, experiment, strategy, item_id, source_lang, target_lang

),

compared as (

    select
        scores.experiment,
        scores.strategy,
        scores.score - baselines.score as score_delta,
        coalesce(shown.n_matches, 0) / nullif(cast(base_shown.n_matches as double), 0) as exposure_ratio
    from scores
    inner join scores as baselines
        on
            scores.experiment = baselines.experiment
            and scores.item_id = baselines.item_id
            and scores.source_lang = baselines.source_lang
            and scores.target_lang = baselines.target_lang
            and baselines.strategy = 'random_multilingual'
    left join shown
        on
            scores.corpus = shown.corpus
            and scores.strategy = shown.strategy
            and scores.item_id = shown.item_id
    left join shown as base_shown
        on
            scores.corpus = base_shown.corpus
            and baselines.strategy = base_shown.strategy
            and scores.item_id = base_shown.item_id
    where scores.strategy not in ('base', 'random_multilingual')

)

select
    experiment,
    strategy,
    case
        when exposure_ratio is null then 'not shown by the baseline'
        when exposure_ratio < 0.8 then '1: shown less'
        when exposure_ratio <= 1.25 then '2: shown as often'
        else '3: shown more'
    end as exposure,
    count(*) as n_scored,
    round({{ exact_avg('score_delta') }}, 4) as score_delta
from compared
group by all
order by experiment, strategy, exposure
