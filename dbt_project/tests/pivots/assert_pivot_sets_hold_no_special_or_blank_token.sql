-- Special and blank tokens say nothing about meaning; the planted truth is what the generator says.
select
    pivot_tokens.corpus,
    pivot_tokens.pivot_set,
    pivot_tokens.token_id
from {{ ref('dim_pivot_tokens') }} as pivot_tokens
inner join {{ ref('dim_tokens') }} as tokens
    on
        pivot_tokens.corpus = tokens.corpus
        and pivot_tokens.token_id = tokens.token_id
where
    pivot_tokens.pivot_set <> 'planted_truth'
    and (tokens.is_special or tokens.is_blank)
    and {{ var('exclude_flagged_tokens') }}
