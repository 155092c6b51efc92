-- One row per corpus and eligible document: what a matched draw keeps alike: length class, occurrences of evaluation
-- words, and whether it holds words of the list in more than one language.

with

documents as (

    select * from {{ ref('int_documents__deduplicated') }}
    where is_eligible

),

items as (

    select * from {{ ref('stg_translation_items') }}

),

evaluation_words as (

    select distinct word_id from items
    where word_split = 'judge'

),

langs_of_words as (

    select distinct
        word_id,
        lang
    from items

),

word_documents as (

    select * from {{ ref('stg_word_documents') }}

),

exposed as (

    select
        word_documents.corpus,
        word_documents.doc_id,
        cast(sum(word_documents.n_matches) as bigint) as n_evaluation_matches
    from word_documents
    inner join evaluation_words on word_documents.word_id = evaluation_words.word_id
    group by word_documents.corpus, word_documents.doc_id

),

languages as (

    select
        word_documents.corpus,
        word_documents.doc_id,
        count(distinct langs_of_words.lang) as n_word_langs
    from word_documents
    inner join langs_of_words on word_documents.word_id = langs_of_words.word_id
    group by word_documents.corpus, word_documents.doc_id

),

final as (

    select
        documents.corpus,
        documents.doc_id,
        documents.lang,
        documents.n_tokens,
        cast(floor(2 * log2(documents.n_tokens)) as bigint) as length_class,
        least(coalesce(exposed.n_evaluation_matches, 0), {{ var('matched_max_matches') }}) as n_evaluation_matches,
        coalesce(languages.n_word_langs, 0) > 1 as is_mixed
    from documents
    left join exposed
        on
            documents.corpus = exposed.corpus
            and documents.doc_id = exposed.doc_id
    left join languages
        on
            documents.corpus = languages.corpus
            and documents.doc_id = languages.doc_id

)

select * from final
