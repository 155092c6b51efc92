-- P(target | word) lies in [0, 1], so scores lie in [-1, 1]; a rank lies among the candidates.
select
    run_id,
    item_id,
    source_lang,
    target_lang,
    p_right,
    p_distractors,
    score,
    right_rank
from {{ ref('fct_item_scores') }}
where
    p_right not between 0 and 1
    or p_distractors not between 0 and 1
    or abs(score - (p_right - p_distractors)) > 1e-12
    or right_rank not between 1 and 1 + n_distractors
    or (score is null) <> (n_distractors = 0)
