-- One row per run, item, direction, candidate source word and draw of shots.
select
    run_id,
    item_id,
    source_lang,
    target_lang,
    candidate,
    candidate_word,
    draw,
    prompt_hash,
    n_target_tokens,
    nll_mean,
    nll_mean_without_space
from {{ source('raw', 'word_scores') }}
