-- One row per item of the imported word lists.
with

items as (

    select * from {{ ref('stg_translation_items') }}

),

words as (

    select * from {{ ref('stg_words') }}

),

final as (

    select
        items.item_id,
        cast(items.item_id as string) as item_key,
        items.word_split,
        count(*) as n_langs,
        {{ concat_sorted('items.lang') }} as langs,
        {{ concat_sorted("concat(items.lang, ' ', words.word)") }} as words
    from items
    inner join words on items.word_id = words.word_id
    group by items.item_id, items.word_split

)

select * from final
