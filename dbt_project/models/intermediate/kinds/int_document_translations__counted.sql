-- One row per corpus and document of two languages with words of the list in them: how many occurrences of words in
-- each language stand in it, and how many of them meet their translation within one piece of kind_pair_tokens tokens.

with

documents as (

    select * from {{ ref('int_document_mixtures__measured') }}
    where has_two_languages

),

items as (

    select distinct
        item_id,
        lang,
        word_id
    from {{ ref('stg_translation_items') }}
    where {{ may_find_pivots('word_split') }}

),

occurrences as (

    select
        corpus,
        doc_id,
        word_id,
        {{ unnest_column('token_starts') }} as position
    from {{ ref('stg_word_documents') }}

),

pieces as (

    select
        occurrences.corpus,
        occurrences.doc_id,
        items.item_id,
        cast(floor(occurrences.position / {{ var('kind_pair_tokens') }}) as integer) as piece_number,
        sum(case when items.lang = documents.main_lang then 1 else 0 end) as n_main_words,
        sum(case when items.lang = documents.second_lang then 1 else 0 end) as n_second_words
    from occurrences
    inner join documents
        on
            occurrences.corpus = documents.corpus
            and occurrences.doc_id = documents.doc_id
    inner join items
        on
            occurrences.word_id = items.word_id
            and (documents.main_lang = items.lang or documents.second_lang = items.lang)
    group by occurrences.corpus, occurrences.doc_id, items.item_id, piece_number

),

final as (

    select
        corpus,
        doc_id,
        cast(sum(n_main_words) as bigint) as n_main_words,
        cast(sum(n_second_words) as bigint) as n_second_words,
        cast(sum(least(n_main_words, n_second_words)) as bigint) as n_translated_words
    from pieces
    group by corpus, doc_id

)

select * from final
