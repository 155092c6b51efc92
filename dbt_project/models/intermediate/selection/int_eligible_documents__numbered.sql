-- One row per eligible document of any corpus, with a number of its own, 1, 2, 3 ... by corpus, language and doc_id,
-- and numbers of its corpus and of its language in the corpus. Tables of a row per document and ranking or strategy
-- name documents by number: doc_id is a hash, whose 8 bytes nothing compresses, and sorts of integers are several times
-- as fast as those of names. Among the documents of a language numbers stand in the order of doc_id.
-- Numbers say nothing across builds: another document moves those after it.

with

documents as (

    select * from {{ ref('int_documents__deduplicated') }}
    where is_eligible

),

languages as (

    select
        corpus,
        lang,
        count(*) as n_docs
    from documents
    group by corpus, lang

),

offsets as (

    select
        corpus,
        lang,
        cast(dense_rank() over (order by corpus) as integer) as corpus_number,
        cast(row_number() over (order by corpus, lang) as integer) as language_number,
        sum(n_docs) over (
            order by corpus, lang
            rows between unbounded preceding and current row
        ) - n_docs as n_docs_before
    from languages

),

final as (

    select
        documents.corpus,
        cast(
            offsets.n_docs_before + row_number() over (
                partition by documents.corpus, documents.lang
                order by documents.doc_id
            ) as bigint
        ) as document_number,
        offsets.corpus_number,
        offsets.language_number,
        documents.doc_id,
        documents.lang,
        documents.n_tokens
    from documents
    inner join offsets
        on
            documents.corpus = offsets.corpus
            and documents.lang = offsets.lang

)

select * from final
