-- Do models go through pivots, and does it depend on how one looks?
-- Read: share of traced words whose inner top token is neither source nor answer, by both definitions, how often the
-- two agree, and where the peak is. AUC says whether documents with both words predict the direct way: 0.5 is a coin,
-- and an interval that holds 0.5 says no more.
-- In short: strategy {strategy}: {pivot_share} of the words go through a pivot (by threshold
-- {pivot_share_by_threshold}); AUC {auc}.
with

behaviours as (

    select
        run_id,
        experiment,
        strategy,
        seed,
        count(*) as n_words,
        avg(case when behaviour = 'pivot' then 1.0e0 else 0.0e0 end) as pivot_share,
        avg(case when behaviour_by_threshold = 'pivot' then 1.0e0 else 0.0e0 end) as pivot_share_by_threshold,
        avg(case when behaviour = behaviour_by_threshold then 1.0e0 else 0.0e0 end) as agreement,
        {{ quantile('peak_layer', 0.5) }} as median_peak_layer,
        max(final_layer) as final_layer
    from {{ ref('fct_behaviours') }}
    where behaviour in ('cooccurrence', 'pivot')
    group by run_id, experiment, strategy, seed

)

select
    behaviours.experiment,
    behaviours.strategy,
    behaviours.seed,
    behaviours.n_words,
    round(behaviours.pivot_share, 3) as pivot_share,
    round(behaviours.pivot_share_by_threshold, 3) as pivot_share_by_threshold,
    round(behaviours.agreement, 3) as agreement,
    behaviours.median_peak_layer,
    behaviours.final_layer,
    round(aucs.auc, 3) as auc,
    round(aucs.ci_low, 3) as auc_ci_low,
    round(aucs.ci_high, 3) as auc_ci_high
from behaviours
left join {{ ref('fct_behaviour_auc') }} as aucs
    on
        behaviours.run_id = aucs.run_id
        and aucs.source_lang = 'all'
        and aucs.definition = 'peak'
order by behaviours.experiment, behaviours.strategy, behaviours.seed
