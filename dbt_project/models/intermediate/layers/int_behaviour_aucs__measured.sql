-- One row per trace run, direction, definition and threshold: how well the predictor tells co-occurrence from pivot.
-- AUC by mid-ranks (ties count one half); interval by DeLong, DeLong and Clarke-Pearson (1988).
with

labelled as (

    select * from {{ ref('int_behaviours__labelled') }}

),

problems as (

    select distinct
        run_id,
        source_lang,
        target_lang,
        definition,
        threshold
    from labelled

),

usable as (

    select
        *,
        coalesce(threshold, -1) as sweep_key
    from labelled
    where behaviour in ('cooccurrence', 'pivot') and predictor is not null

),

ranked as (

    select
        *,
        {{ mid_rank('predictor', 'run_id, source_lang, target_lang, definition, sweep_key') }} as mid_rank,
        {{ mid_rank('predictor', 'run_id, source_lang, target_lang, definition, sweep_key, behaviour') }}
            as mid_rank_in_class,
        sum(case when behaviour = 'cooccurrence' then 1 else 0 end) over (
            partition by run_id, source_lang, target_lang, definition, sweep_key
        ) as n_cooccurrence,
        sum(case when behaviour = 'pivot' then 1 else 0 end) over (
            partition by run_id, source_lang, target_lang, definition, sweep_key
        ) as n_pivot
    from usable

),

-- of a positive: the share of negatives that it beats; of a negative: the share of positives that beat it
placed as (

    select
        *,
        case
            when behaviour = 'cooccurrence' then (mid_rank - mid_rank_in_class) / nullif(n_pivot, 0)
            else 1 - (mid_rank - mid_rank_in_class) / nullif(n_cooccurrence, 0)
        end as placement
    from ranked

),

averaged as (

    select
        run_id,
        source_lang,
        target_lang,
        definition,
        sweep_key,
        behaviour,
        max(n_cooccurrence) as n_cooccurrence,
        max(n_pivot) as n_pivot,
        {{ exact_avg('placement') }} as auc
    from placed
    group by run_id, source_lang, target_lang, definition, sweep_key, behaviour

),

varied as (

    select
        averaged.run_id,
        averaged.source_lang,
        averaged.target_lang,
        averaged.definition,
        averaged.sweep_key,
        averaged.behaviour,
        {{ exact_sum('power(placed.placement - averaged.auc, 2)') }}
        / nullif(count(*) - 1, 0) / count(*) as variance
    from placed
    inner join averaged
        on
            placed.run_id = averaged.run_id
            and placed.source_lang = averaged.source_lang
            and placed.target_lang = averaged.target_lang
            and placed.definition = averaged.definition
            and placed.sweep_key = averaged.sweep_key
            and placed.behaviour = averaged.behaviour
    group by
        averaged.run_id,
        averaged.source_lang,
        averaged.target_lang,
        averaged.definition,
        averaged.sweep_key,
        averaged.behaviour

),

summed as (

    select
        averaged.run_id,
        averaged.source_lang,
        averaged.target_lang,
        averaged.definition,
        averaged.sweep_key,
        max(averaged.n_cooccurrence) as n_cooccurrence,
        max(averaged.n_pivot) as n_pivot,
        max(case when averaged.behaviour = 'cooccurrence' then averaged.auc end) as auc,
        -- NULL, not one class's variance, when the other class has fewer than two items
        sqrt(
            max(case when varied.behaviour = 'cooccurrence' then varied.variance end)
            + max(case when varied.behaviour = 'pivot' then varied.variance end)
        ) as standard_error
    from averaged
    inner join varied
        on
            averaged.run_id = varied.run_id
            and averaged.source_lang = varied.source_lang
            and averaged.target_lang = varied.target_lang
            and averaged.definition = varied.definition
            and averaged.sweep_key = varied.sweep_key
            and averaged.behaviour = varied.behaviour
    group by
        averaged.run_id,
        averaged.source_lang,
        averaged.target_lang,
        averaged.definition,
        averaged.sweep_key

),

of_pairs as (

    select
        problems.run_id,
        problems.source_lang,
        problems.target_lang,
        problems.definition,
        problems.threshold,
        coalesce(summed.n_cooccurrence, 0) as n_cooccurrence,
        coalesce(summed.n_pivot, 0) as n_pivot,
        summed.auc,
        summed.standard_error
    from problems
    left join summed
        on
            problems.run_id = summed.run_id
            and problems.source_lang = summed.source_lang
            and problems.target_lang = summed.target_lang
            and problems.definition = summed.definition
            and coalesce(problems.threshold, -1) = summed.sweep_key

),

-- directions share their items, so their errors may move together: the mean's error is taken as the mean of the errors
over_pairs as (

    select
        run_id,
        definition,
        threshold,
        sum(n_cooccurrence) as n_cooccurrence,
        sum(n_pivot) as n_pivot,
        {{ exact_avg('auc') }} as auc,
        {{ exact_avg('standard_error') }} as standard_error
    from of_pairs
    group by run_id, definition, threshold

),

final as (

    select
        run_id,
        source_lang,
        target_lang,
        definition,
        threshold,
        n_cooccurrence,
        n_pivot,
        auc,
        standard_error
    from of_pairs

    union all

    select
        run_id,
        'all' as source_lang,
        'all' as target_lang,
        definition,
        threshold,
        n_cooccurrence,
        n_pivot,
        auc,
        standard_error
    from over_pairs

)

select * from final
