-- A against B is the opposite of B against A, where the same seeds and words are paired both ways.
select
    forward.experiment,
    forward.strategy,
    forward.baseline,
    forward.source_lang,
    forward.target_lang,
    forward.word_split,
    forward.score_delta,
    backward.score_delta as swapped_delta
from {{ ref('fct_strategy_comparison') }} as forward
inner join {{ ref('fct_strategy_comparison') }} as backward
    on
        forward.experiment = backward.experiment
        and forward.strategy = backward.baseline
        and forward.baseline = backward.strategy
        and forward.source_lang = backward.source_lang
        and forward.target_lang = backward.target_lang
        and forward.word_split = backward.word_split
        and forward.n_seeds = backward.n_seeds
where
    abs(forward.score_delta + backward.score_delta) > 1e-9
    or abs(forward.p_value - backward.p_value) > 1e-9
    or abs(forward.ci_low + backward.ci_high) > 1e-9
    or abs(forward.seed_ci_low + backward.seed_ci_high) > 1e-9
