-- One row per experiment, strategy, direction (and all/all) and word split: the mean over the runs of the strategy.
with

scores as (

    select * from {{ ref('int_scores__averaged') }}
    where experiment is not null

),

final as (

    select
        experiment,
        strategy,
        source_lang,
        target_lang,
        word_split,
        count(*) as n_runs,
        {{ exact_avg('score') }} as score,
        {{ exact_avg('first_rank_rate') }} as first_rank_rate,
        {{ is_summary(['source_lang', 'word_split']) }} as is_summary
    from scores
    group by experiment, strategy, source_lang, target_lang, word_split

)

select * from final
