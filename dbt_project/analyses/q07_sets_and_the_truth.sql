-- How much do the pivot sets have in common, and which is nearest to the truth?
-- Read: precision is the share of the set that the other set holds, recall the share of the other that the set holds.
-- Against planted_truth (where there is one) they say how good a set is, against others how different they are.
-- In short: set {pivot_set} shares {precision} of its tokens with {other_set}, which holds {other_size}.
with

sized as (

    select
        corpus,
        pivot_set,
        count(*) as n_tokens
    from {{ ref('dim_pivot_tokens') }}
    group by corpus, pivot_set

),

shared as (

    select
        these.corpus,
        these.pivot_set,
        others.pivot_set as other_set,
        count(*) as n_shared
    from {{ ref('dim_pivot_tokens') }} as these
    inner join {{ ref('dim_pivot_tokens') }} as others
        on
            these.corpus = others.corpus
            and these.token_id = others.token_id
            and these.pivot_set <> others.pivot_set
    group by these.corpus, these.pivot_set, others.pivot_set

)

select
    shared.corpus,
    shared.pivot_set,
    shared.other_set,
    these.n_tokens as size,
    others.n_tokens as other_size,
    round(cast(shared.n_shared as double) / these.n_tokens, 3) as precision,
    round(cast(shared.n_shared as double) / others.n_tokens, 3) as recall
from shared
inner join sized as these
    on
        shared.corpus = these.corpus
        and shared.pivot_set = these.pivot_set
inner join sized as others
    on
        shared.corpus = others.corpus
        and shared.other_set = others.pivot_set
where shared.other_set in ('planted_truth', '{{ var('default_pivot_set') }}')
order by shared.corpus asc, shared.other_set desc, precision desc, shared.pivot_set asc
