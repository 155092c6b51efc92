-- One row per trace run, direction (and all/all) and threshold: what the choice of the threshold changes.
with

problems as (

    select * from {{ ref('int_behaviour_aucs__measured') }}
    where definition = 'threshold_sweep'

),

labelled as (

    select * from {{ ref('int_behaviours__labelled') }}
    where definition = 'threshold_sweep' and behaviour in ('cooccurrence', 'pivot')

),

behaviours as (

    select * from {{ ref('fct_behaviours') }}

),

matched as (

    select
        labelled.run_id,
        labelled.source_lang,
        labelled.target_lang,
        labelled.threshold,
        labelled.behaviour,
        case when labelled.behaviour = behaviours.behaviour then 1 else 0 end as agrees
    from labelled
    inner join behaviours
        on
            labelled.run_id = behaviours.run_id
            and labelled.item_id = behaviours.item_id
            and labelled.source_lang = behaviours.source_lang
            and labelled.target_lang = behaviours.target_lang

),

of_pairs as (

    select
        run_id,
        source_lang,
        target_lang,
        threshold,
        sum(case when behaviour = 'cooccurrence' then 1 else 0 end) as n_cooccurrence,
        sum(case when behaviour = 'pivot' then 1 else 0 end) as n_pivot,
        {{ exact_avg('agrees') }} as agreement
    from matched
    group by run_id, source_lang, target_lang, threshold

),

agreements as (

    select
        run_id,
        source_lang,
        target_lang,
        threshold,
        n_cooccurrence,
        n_pivot,
        agreement
    from of_pairs

    union all

    select
        run_id,
        'all' as source_lang,
        'all' as target_lang,
        threshold,
        sum(n_cooccurrence) as n_cooccurrence,
        sum(n_pivot) as n_pivot,
        {{ exact_avg('agreement') }} as agreement
    from of_pairs
    group by run_id, threshold

),

final as (

    select
        problems.run_id,
        problems.source_lang,
        problems.target_lang,
        problems.threshold,
        cast(coalesce(agreements.n_cooccurrence, 0) as bigint) as n_cooccurrence,
        cast(coalesce(agreements.n_pivot, 0) as bigint) as n_pivot,
        problems.auc,
        agreements.agreement,
        {{ is_summary(['problems.source_lang']) }} as is_summary
    from problems
    left join agreements
        on
            problems.run_id = agreements.run_id
            and problems.source_lang = agreements.source_lang
            and problems.target_lang = agreements.target_lang
            and problems.threshold = agreements.threshold

)

select * from final
