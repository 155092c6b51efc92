-- One row per corpus and document that holds words of the list (of the items that selection may use): how many.

with

word_documents as (

    select * from {{ ref('stg_word_documents') }}

),

words as (

    select distinct word_id
    from {{ ref('stg_translation_items') }}
    where {{ may_find_pivots('word_split') }}

),

final as (

    select
        word_documents.corpus,
        word_documents.doc_id,
        count(*) as n_list_words,
        cast(sum(word_documents.n_matches) as bigint) as n_word_matches
    from word_documents
    inner join words on word_documents.word_id = words.word_id
    group by word_documents.corpus, word_documents.doc_id

)

select * from final
