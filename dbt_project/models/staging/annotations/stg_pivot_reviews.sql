-- One row per reviewer, word pair and candidate that the reviewer was asked about; the pair stands in the order of its
-- languages.
select
    corpus,
    lang_a,
    word_a,
    lang_b,
    word_b,
    token,
    review_status,
    reviewer_kind,
    reviewer,
    prompt_hash,
    run_id
from {{ source('raw', 'pivot_reviews') }}
