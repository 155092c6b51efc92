-- Strata add up to the units counted, and no token or word occurs in more units of a stratum than there are.
with

stratum_sums as (

    select
        corpus,
        sum(n_docs) as n_docs
    from {{ ref('stg_strata') }}
    group by corpus

),

members as (

    select
        corpus,
        lang,
        length_bin,
        token_id as member_id,
        n_docs
    from {{ ref('stg_token_documents') }}

    union all

    select
        corpus,
        lang,
        length_bin,
        word_id as member_id,
        n_docs
    from {{ ref('stg_word_strata') }}

)

select
    counts.corpus,
    'strata do not add up' as problem,
    null as member_id
from {{ ref('stg_counts') }} as counts
left join stratum_sums on counts.corpus = stratum_sums.corpus
where counts.n_units <> coalesce(stratum_sums.n_docs, 0)

union all

select
    members.corpus,
    'more units than the stratum has' as problem,
    members.member_id
from members
left join {{ ref('stg_strata') }} as strata
    on
        members.corpus = strata.corpus
        and members.lang = strata.lang
        and members.length_bin = strata.length_bin
where members.n_docs > coalesce(strata.n_docs, 0)
