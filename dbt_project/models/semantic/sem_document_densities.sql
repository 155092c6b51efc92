-- One row per corpus, pivot set and ranked document: its tokens in the set, and when the corpus was counted.
with

rankings as (

    select * from {{ ref('fct_document_rankings') }}

),

counts as (

    select * from {{ ref('stg_counts') }}

),

runs as (

    select * from {{ ref('stg_runs') }}

),

final as (

    select
        rankings.corpus,
        rankings.pivot_set,
        rankings.doc_id,
        rankings.lang,
        rankings.n_tokens,
        rankings.n_pivot_tokens,
        rankings.pivot_set = '{{ var("default_pivot_set") }}' as is_default_set,
        runs.finished_at as counted_at
    from rankings
    inner join counts on rankings.corpus = counts.corpus
    left join runs on counts.run_id = runs.run_id

)

select * from final
