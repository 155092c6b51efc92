-- One row per run, item, direction and layer of the logit lens (0 = embeddings, last = the model's own output).
select
    run_id,
    item_id,
    source_lang,
    target_lang,
    layer,
    top_token_id,
    top_token,
    p_top,
    p_source,
    p_target,
    p_pivot,
    p_control,
    entropy,
    is_top_source,
    is_top_target,
    is_top_pivot,
    shares_token,
    p_pivot_beyond_words
from {{ source('raw', 'layer_traces') }}
