-- One row per run and prompt prefix: which items were its shots.
select
    run_id,
    prompt_hash,
    item_id,
    source_lang,
    target_lang,
    draw,
    shot_item_ids
from {{ source('raw', 'prompts') }}
