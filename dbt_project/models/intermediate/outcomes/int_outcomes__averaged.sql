-- One row per score run, outcome and word split: the mean over directions.
with

item_outcomes as (

    select * from {{ ref('int_item_outcomes__listed') }}

),

splits as (

    select * from {{ ref('int_word_splits__listed') }}

),

of_pairs as (

    select
        item_outcomes.run_id,
        item_outcomes.outcome,
        splits.word_split,
        item_outcomes.source_lang,
        item_outcomes.target_lang,
        {{ exact_avg('item_outcomes.value') }} as value
    from item_outcomes
    inner join splits on splits.word_split = 'all' or item_outcomes.word_split = splits.word_split
    group by
        item_outcomes.run_id,
        item_outcomes.outcome,
        splits.word_split,
        item_outcomes.source_lang,
        item_outcomes.target_lang

),

n_items_of_runs as (

    select
        item_outcomes.run_id,
        item_outcomes.outcome,
        splits.word_split,
        count(distinct item_outcomes.item_id) as n_items
    from item_outcomes
    inner join splits on splits.word_split = 'all' or item_outcomes.word_split = splits.word_split
    group by item_outcomes.run_id, item_outcomes.outcome, splits.word_split

),

final as (

    select
        of_pairs.run_id,
        of_pairs.outcome,
        of_pairs.word_split,
        max(n_items_of_runs.n_items) as n_items,
        {{ exact_avg('of_pairs.value') }} as value
    from of_pairs
    inner join n_items_of_runs
        on
            of_pairs.run_id = n_items_of_runs.run_id
            and of_pairs.outcome = n_items_of_runs.outcome
            and of_pairs.word_split = n_items_of_runs.word_split
    group by of_pairs.run_id, of_pairs.outcome, of_pairs.word_split

)

select * from final
