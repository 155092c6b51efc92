-- One row per counted corpus and word of the list: in how many units it occurs.
with

words as (

    select * from {{ ref('int_words__counted') }}

),

items as (

    select
        word_id,
        count(*) as n_items
    from {{ ref('stg_translation_items') }}
    group by word_id

),

final as (

    select
        words.corpus,
        words.word_id,
        cast(words.word_id as string) as word_key,
        words.lang,
        words.word,
        words.n_docs,
        coalesce(items.n_items, 0) as n_items
    from words
    left join items on words.word_id = items.word_id

)

select * from final
