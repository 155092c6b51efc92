-- No document is lost or made on the way to its dimension, and no token of one.
with

here as (

    select
        corpus,
        count(*) as n_docs,
        sum(n_tokens) as n_tokens
    from {{ ref('dim_documents') }}
    group by corpus

),

raw as (

    select
        corpus,
        count(*) as n_docs,
        sum({{ n_elements('token_ids') }}) as n_tokens
    from {{ ref('stg_document_tokens') }}
    group by corpus

)

select
    raw.corpus,
    raw.n_docs,
    here.n_docs as n_docs_here,
    raw.n_tokens,
    here.n_tokens as n_tokens_here
from raw
left join here on raw.corpus = here.corpus
where
    here.corpus is null
    or raw.n_docs <> here.n_docs
    or raw.n_tokens <> here.n_tokens
