-- One row per corpus, pivot set and document that holds tokens of the set: how many, repeats counted.

with

document_tokens as (

    select
        corpus,
        doc_id,
        {{ unnest_column('token_ids') }} as token_id
    from {{ ref('stg_document_tokens') }}

),

pivot_tokens as (

    select
        corpus,
        pivot_set,
        token_id
    from {{ ref('int_pivot_tokens__selected') }}

),

final as (

    select
        document_tokens.corpus,
        pivot_tokens.pivot_set,
        document_tokens.doc_id,
        count(*) as n_pivot_tokens
    from document_tokens
    inner join pivot_tokens
        on
            document_tokens.corpus = pivot_tokens.corpus
            and document_tokens.token_id = pivot_tokens.token_id
    group by document_tokens.corpus, pivot_tokens.pivot_set, document_tokens.doc_id

)

select * from final
