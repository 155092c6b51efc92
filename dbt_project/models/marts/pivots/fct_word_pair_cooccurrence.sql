-- One row per counted corpus, item and direction: how often the two words share a unit, zero included.
with

word_pairs as (

    select * from {{ ref('int_word_pairs__directed') }}

),

final as (

    select
        corpus,
        item_id,
        word_split,
        source_lang,
        target_lang,
        source_word,
        target_word,
        n_docs_source,
        n_docs_target,
        n_docs_both,
        cooccurrence_rate
    from word_pairs

)

select * from final
