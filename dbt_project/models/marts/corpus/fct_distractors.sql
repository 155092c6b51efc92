-- One row per corpus, item, direction and distractor: what the right word is compared with when a model is scored.
with

distractors as (

    select * from {{ ref('int_distractors__drawn') }}

),

final as (

    select
        corpus,
        item_id,
        source_lang,
        target_lang,
        candidate,
        word,
        distractor_rule
    from distractors

)

select * from final
