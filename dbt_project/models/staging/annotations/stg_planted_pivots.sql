-- One row per planted corpus, concept and planted pivot; token_id is NULL when the pivot is not a single token.
select
    corpus,
    item_id,
    pivot_word,
    token_id
from {{ source('raw', 'planted_pivots') }}
