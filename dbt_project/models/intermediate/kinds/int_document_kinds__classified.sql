-- One row per corpus and document: whether it is in one language, or how two languages stand in it.

with

documents as (

    select * from {{ ref('int_documents__deduplicated') }}

),

mixtures as (

    select * from {{ ref('int_document_mixtures__measured') }}

),

translations as (

    select * from {{ ref('int_document_translations__counted') }}

),

-- the list speaks where enough of its words stand in the language that has fewer of them
measured as (

    select
        documents.corpus,
        documents.doc_id,
        documents.lang,
        documents.n_tokens,
        documents.is_eligible,
        mixtures.main_lang,
        mixtures.second_lang,
        coalesce(mixtures.second_lang_share, 0) as second_lang_share,
        coalesce(mixtures.has_two_languages, false) as has_two_languages,
        mixtures.interleaving,
        coalesce(mixtures.n_switches, 0) as n_switches,
        coalesce(least(translations.n_main_words, translations.n_second_words), 0) as n_pairable_words,
        {{ unit_rate(
            'translations.n_translated_words', 'least(translations.n_main_words, translations.n_second_words)'
        ) }} as translated_share
    from documents
    left join mixtures
        on
            documents.corpus = mixtures.corpus
            and documents.doc_id = mixtures.doc_id
    left join translations
        on
            documents.corpus = translations.corpus
            and documents.doc_id = translations.doc_id

),

classified as (

    select
        *,
        case
            when not has_two_languages then 'monolingual'
            when n_switches < 2 and interleaving < {{ var('kind_min_interleaving') }} then 'mixed'
            when
                n_switches >= 2
                and n_pairable_words >= {{ var('kind_min_pairable_words') }}
                and translated_share >= {{ var('kind_min_translated_share') }}
                then 'parallel'
            when interleaving >= {{ var('kind_min_interleaving') }} then 'code_switched'
            when
                n_pairable_words >= {{ var('kind_telling_words') }}
                and translated_share < {{ var('kind_max_chance_share') }}
                then 'mixed'
            else 'parallel'
        end as document_kind
    from measured

),

final as (

    select
        corpus,
        doc_id,
        lang,
        n_tokens,
        is_eligible,
        document_kind,
        -- 0 to 1, and comparable within a kind only
        case
            when document_kind = 'monolingual' then 1 - second_lang_share
            when document_kind = 'code_switched' then interleaving
            when document_kind = 'mixed' then 1 - interleaving
            -- both sides of it alike, in blocks
            else 2 * second_lang_share * (1 - interleaving)
        end as kind_score,
        main_lang,
        second_lang,
        second_lang_share,
        interleaving,
        n_switches,
        n_pairable_words,
        translated_share
    from classified

)

select * from final
