-- One row per experiment, strategy, baseline, direction (and all/all, the mean over directions) and word split: the
-- difference, its intervals, and what they say.
with

strategies as (

    select * from {{ ref('int_strategies__listed') }}

),

comparisons as (

    select * from {{ ref('int_deltas__averaged') }}

),

exposure_controls as (

    select strategy from {{ ref('int_strategies__listed') }}
    where is_exposure_control

),

-- the side of zero on which an interval lies as a whole: 1 or -1, 0 where it holds zero; NULL without an interval
sided as (

    select
        *,
        case when ci_low > 0 then 1 when ci_high < 0 then -1 when ci_low + ci_high is not null then 0 end as item_side,
        case
            when seed_ci_low > 0 then 1
            when seed_ci_high < 0 then -1
            when seed_ci_low + seed_ci_high is not null then 0
        end as seed_side
    from comparisons

),

judged as (

    select
        *,
        case
            when seed_side is null then 'not_tested' -- one training: its words cannot say what another would bring
            when coalesce(item_side, 0) + seed_side = 2 then 'better'
            when coalesce(item_side, 0) + seed_side = 1 then 'leaning_better'
            when coalesce(item_side, 0) + seed_side = 0 then 'no_clear_difference'
            when coalesce(item_side, 0) + seed_side = -1 then 'leaning_worse'
            else 'worse'
        end as verdict
    from sided

),

against_exposure as (

    select judged.*
    from judged
    inner join exposure_controls on judged.baseline = exposure_controls.strategy

),

final as (

    select
        judged.experiment,
        judged.strategy,
        judged.baseline,
        judged.source_lang,
        judged.target_lang,
        judged.word_split,
        judged.score_delta,
        judged.ci_low,
        judged.ci_high,
        judged.p_value,
        judged.n_seeds,
        judged.n_seeds_above,
        judged.seed_ci_low,
        judged.seed_ci_high,
        judged.n_items,
        judged.score,
        judged.baseline_score,
        judged.verdict,
        case
            when judged.verdict in ('better', 'leaning_better')
                then against_exposure.verdict in ('better', 'leaning_better')
        end as is_beyond_exposure,
        {{ is_summary(['judged.source_lang', 'judged.word_split']) }} as is_summary,
        -- a strategy that is no longer listed is nobody's baseline
        coalesce(
            strategies.is_baseline and strategies.display_order < baselines.display_order, false
        ) as is_mirrored
    from judged
    left join strategies on judged.strategy = strategies.strategy
    left join strategies as baselines on judged.baseline = baselines.strategy
    left join against_exposure
        on
            judged.experiment = against_exposure.experiment
            and judged.strategy = against_exposure.strategy
            and judged.source_lang = against_exposure.source_lang
            and judged.target_lang = against_exposure.target_lang
            and judged.word_split = against_exposure.word_split

)

select * from final
