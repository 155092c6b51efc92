-- One row per item and language: a concept with its word in that language, and the split the item belongs to.
select
    item_id,
    lang,
    word_id,
    case
        when {{ hash_unit('item_id', 'word_split') }} < {{ var('judge_share') }} then 'judge'
        else 'find'
    end as word_split
from {{ source('raw', 'translation_items') }}
