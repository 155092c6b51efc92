-- One row per counted corpus, item and unordered pair of languages (lang_a < lang_b); pairs that never meet included.

with

items as (

    select * from {{ ref('stg_translation_items') }}

),

words as (

    select * from {{ ref('int_words__counted') }}

),

word_pairs as (

    select * from {{ ref('stg_word_pairs') }}

),

item_pairs as (

    {{ item_pairs('items') | indent }}

),

final as (

    select
        words_a.corpus,
        item_pairs.item_id,
        item_pairs.word_split,
        item_pairs.lang_a,
        item_pairs.lang_b,
        item_pairs.word_id_a,
        item_pairs.word_id_b,
        words_a.word as word_a,
        words_b.word as word_b,
        words_a.n_docs as n_docs_a,
        words_b.n_docs as n_docs_b,
        coalesce(word_pairs.n_docs, 0) as n_docs_both
    from item_pairs
    inner join words as words_a on item_pairs.word_id_a = words_a.word_id
    inner join words as words_b
        on
            item_pairs.word_id_b = words_b.word_id
            and words_a.corpus = words_b.corpus
    left join word_pairs
        on
            words_a.corpus = word_pairs.corpus
            and least(item_pairs.word_id_a, item_pairs.word_id_b) = word_pairs.word_id_a
            and greatest(item_pairs.word_id_a, item_pairs.word_id_b) = word_pairs.word_id_b

)

select * from final
