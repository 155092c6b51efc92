-- One row per run, item, direction, layer and language whose word for the item may stand there.
select
    run_id,
    item_id,
    source_lang,
    target_lang,
    layer,
    lang,
    p,
    word_rank,
    shares_token,
    case when lang = source_lang then 'source' when lang = target_lang then 'target' else 'other' end as lang_role
from {{ source('raw', 'layer_words') }}
