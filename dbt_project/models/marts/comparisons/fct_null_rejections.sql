-- One row per experiment, outcome, word split and number of seeds: how often tests at 5 % find a difference between
-- seeds of one and the same strategy, where there is none.
with

against_itself as (

    select * from {{ ref('int_outcome_deltas__tested') }}
    where null_round > 0 and source_lang = 'all' and word_class = 'all' and p_value is not null

),

final as (

    select
        experiment,
        outcome,
        word_split,
        n_seeds,
        count(*) as n_comparisons,
        count(distinct strategy) as n_strategies,
        {{ exact_avg('case when p_value < 0.05 then 1 else 0 end') }} as rejection_rate,
        {{ exact_avg('case when items_p_value < 0.05 then 1 else 0 end') }} as items_rejection_rate,
        {{ exact_avg('case when seeds_p_value < 0.05 then 1 else 0 end') }} as seeds_rejection_rate,
        {{ is_summary(['word_split']) }} as is_summary
    from against_itself
    group by experiment, outcome, word_split, n_seeds

)

select * from final
