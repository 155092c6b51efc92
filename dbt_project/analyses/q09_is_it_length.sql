-- Do rankings prefer short documents?
-- Read: mean length of the best tenth of each language against all of its documents, by plain and by smoothed density.
-- Short documents are dense by chance; below 1 the ranking takes shorter ones than the corpus has.
-- In short: in {lang} the best tenth by plain density is {length_ratio_density} times as long as the average.
with

ranked as (

    select
        *,
        count(*) over (partition by corpus, pivot_set, lang) as n_docs_of_lang
    from {{ ref('fct_document_rankings') }}
    where pivot_set = '{{ var("default_pivot_set") }}'

)

select
    corpus,
    pivot_set,
    lang,
    count(*) as n_docs,
    round(avg(n_tokens), 1) as mean_tokens,
    round(
        avg(case when 10 * density_rank_in_lang <= n_docs_of_lang then n_tokens end) / avg(n_tokens), 3
    ) as length_ratio_density,
    round(
        avg(case when 10 * smoothed_rank_in_lang <= n_docs_of_lang then n_tokens end) / avg(n_tokens), 3
    ) as length_ratio_smoothed
from ranked
group by corpus, pivot_set, lang
order by corpus, lang
