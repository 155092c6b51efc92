-- One row per run, sentence and direction: the model's translation and its chrF.
select
    run_id,
    sentence_set_id,
    sentence_id,
    source_lang,
    target_lang,
    prompt_hash,
    shot_sentence_ids,
    source_text,
    reference_text,
    translation,
    n_new_tokens,
    stopped_by,
    chrf,
    chrf_pp
from {{ source('raw', 'sentence_scores') }}
