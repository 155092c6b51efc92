-- One row per run, sentence, direction, kind and length of n-grams.
select
    run_id,
    sentence_id,
    source_lang,
    target_lang,
    ngram_kind,
    ngram_length,
    n_translation,
    n_reference,
    n_both
from {{ source('raw', 'sentence_ngrams') }}
