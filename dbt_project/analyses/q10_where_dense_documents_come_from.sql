-- Which sources do the documents at the top of the ranking come from?
-- Read: the best tenth of each language by smoothed density, against what the source has of the whole: a lift far
-- above 1 says that the ranking is really a choice of sources. Then read some of them (`pivots dashboard`) before
-- believing it.
-- In short: source "{source}" is {lift} times as frequent at the top as in the corpus.
with

ranked as (

    select
        rankings.corpus,
        documents.source,
        10 * rankings.smoothed_rank_in_lang
        <= count(*) over (partition by rankings.corpus, rankings.lang) as is_top
    from {{ ref('fct_document_rankings') }} as rankings
    inner join {{ ref('dim_documents') }} as documents
        on
            rankings.corpus = documents.corpus
            and rankings.doc_id = documents.doc_id
    where rankings.pivot_set = '{{ var("default_pivot_set") }}'

),

counted as (

    select
        corpus,
        source,
        count(*) as n_docs,
        sum(case when is_top then 1 else 0 end) as n_top_docs
    from ranked
    group by corpus, source

)

select
    corpus,
    source,
    n_docs,
    cast(n_top_docs as bigint) as n_top_docs,
    round(
        cast(n_top_docs as double) / sum(n_top_docs) over (partition by corpus)
        / (cast(n_docs as double) / sum(n_docs) over (partition by corpus)), 2
    ) as lift
from counted
order by corpus asc, lift desc, source asc
limit 12
