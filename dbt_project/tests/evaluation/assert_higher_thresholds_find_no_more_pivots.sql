-- Raising the threshold can only turn pivot words into co-occurrence words.
select
    below.run_id,
    below.source_lang,
    below.target_lang,
    below.threshold,
    above.threshold as higher_threshold
from {{ ref('fct_threshold_sensitivity') }} as below
inner join {{ ref('fct_threshold_sensitivity') }} as above
    on
        below.run_id = above.run_id
        and below.source_lang = above.source_lang
        and below.target_lang = above.target_lang
        and below.threshold < above.threshold
where above.n_pivot > below.n_pivot
