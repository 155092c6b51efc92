-- One row per distractor: for source_lang -> target_lang, a wrong source-language word of an item.
select
    item_id,
    source_lang,
    target_lang,
    candidate,
    word
from {{ source('raw', 'distractors') }}
