-- One row per counted corpus, item and direction: how often the two words share a unit, zero included.

with

pairs as (

    select * from {{ ref('int_word_pairs__counted') }}

),

directed as (

    select
        corpus,
        item_id,
        word_split,
        lang_a as source_lang,
        lang_b as target_lang,
        word_a as source_word,
        word_b as target_word,
        n_docs_a as n_docs_source,
        n_docs_b as n_docs_target,
        n_docs_both
    from pairs

    union all

    select
        corpus,
        item_id,
        word_split,
        lang_b as source_lang,
        lang_a as target_lang,
        word_b as source_word,
        word_a as target_word,
        n_docs_b as n_docs_source,
        n_docs_a as n_docs_target,
        n_docs_both
    from pairs

),

final as (

    select
        *,
        {{ unit_rate('n_docs_both', 'n_docs_source') }} as cooccurrence_rate
    from directed

)

select * from final
