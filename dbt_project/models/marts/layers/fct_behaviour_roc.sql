-- One row per trace run, behaviour definition and cut: how well "the pair shares at least n units" tells straight
-- words from pivot words, all directions together.
with

labelled as (

    select * from {{ ref('int_behaviours__labelled') }}
    where
        definition in ('peak', 'threshold')
        and behaviour in ('cooccurrence', 'pivot')
        and predictor is not null

),

counted as (

    select
        run_id,
        definition,
        predictor as min_docs_both,
        sum(case when behaviour = 'cooccurrence' then 1 else 0 end) as n_cooccurrence,
        sum(case when behaviour = 'pivot' then 1 else 0 end) as n_pivot
    from labelled
    group by run_id, definition, predictor

),

cumulated as (

    select
        *,
        sum(n_cooccurrence) over (
            partition by run_id, definition
            order by min_docs_both desc
            rows between unbounded preceding and current row
        ) as n_cooccurrence_above,
        sum(n_pivot) over (
            partition by run_id, definition
            order by min_docs_both desc
            rows between unbounded preceding and current row
        ) as n_pivot_above,
        sum(n_cooccurrence) over (partition by run_id, definition) as n_cooccurrence_whole,
        sum(n_pivot) over (partition by run_id, definition) as n_pivot_whole
    from counted

),

final as (

    select
        run_id,
        definition,
        cast(min_docs_both as bigint) as min_docs_both,
        cast(n_cooccurrence_above as double) / n_cooccurrence_whole as true_positive_rate,
        cast(n_pivot_above as double) / n_pivot_whole as false_positive_rate,
        cast(n_cooccurrence_whole as bigint) as n_cooccurrence,
        cast(n_pivot_whole as bigint) as n_pivot
    from cumulated
    where n_cooccurrence_whole > 0 and n_pivot_whole > 0

)

select * from final
