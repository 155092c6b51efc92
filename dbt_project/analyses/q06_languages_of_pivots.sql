-- In which language are the pivots?
-- Read: tokens of each set by the language that holds them (none: no language holds most of it). The paper's pivots
-- are mostly English; a set that is all one language ranks documents of that language, not bridges.
-- In short: {token_share} of set {pivot_set} belongs to {lang}.
select
    corpus,
    pivot_set,
    coalesce(lang, 'none') as lang,
    count(*) as n_tokens,
    round(cast(count(*) as double) / sum(count(*)) over (partition by corpus, pivot_set), 3) as token_share
from {{ ref('dim_pivot_tokens') }}
group by corpus, pivot_set, coalesce(lang, 'none')
order by corpus asc, pivot_set asc, n_tokens desc, lang asc
