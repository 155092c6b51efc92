-- One row per score run: how much of its score on evaluation words comes from the few items with the most.
with

items as (

    select
        run_id,
        item_id,
        {{ exact_avg('score') }} as score
    from {{ ref('int_items__scored') }}
    where score is not null and word_split = 'judge'
    group by run_id, item_id

),

placed as (

    select
        *,
        row_number() over (partition by run_id order by score desc, item_id asc) as place
    from items

),

final as (

    select
        run_id,
        count(*) as n_items,
        {{ exact_sum("case when place <= " ~ var('signature_top_words') ~ " then score else 0 end") }} as top_score,
        {{ exact_sum('score') }} as score
    from placed
    group by run_id

)

select * from final
