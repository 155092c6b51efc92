-- One row per score run, item, word class and value: sums over the directions in which the item is of that class.
with

item_scores as (

    select
        run_id,
        corpus,
        item_id,
        source_lang,
        target_lang,
        word_split,
        score,
        right_rank,
        chance_rate
    from {{ ref('int_items__scored') }}
    where score is not null

),

classes as (

    select * from {{ ref('int_items__classed') }}

),

final as (

    select
        item_scores.run_id,
        item_scores.item_id,
        item_scores.word_split,
        classes.word_class,
        classes.class_value,
        count(*) as n_directions,
        cast(sum({{ to_units('item_scores.score') }}) as bigint) as score_units,
        sum(case when item_scores.right_rank = 1 then 1 else 0 end) as n_first_ranks,
        {{ exact_sum('item_scores.chance_rate') }} as expected_first_ranks
    from item_scores
    inner join classes
        on
            item_scores.corpus = classes.corpus
            and item_scores.item_id = classes.item_id
            and item_scores.source_lang = classes.source_lang
            and item_scores.target_lang = classes.target_lang
    group by
        item_scores.run_id,
        item_scores.item_id,
        item_scores.word_split,
        classes.word_class,
        classes.class_value

)

select * from final
