-- One row per counted corpus and word of the list: in how many units it occurs, zero included.

with

counts as (

    select * from {{ ref('stg_counts') }}

),

words as (

    select * from {{ ref('stg_words') }}

),

word_units as (

    select
        corpus,
        word_id,
        cast(sum(n_docs) as bigint) as n_docs
    from {{ ref('stg_word_strata') }}
    group by corpus, word_id

),

final as (

    select
        counts.corpus,
        words.word_id,
        words.lang,
        words.word,
        coalesce(word_units.n_docs, 0) as n_docs
    from counts
    cross join words
    left join word_units
        on
            counts.corpus = word_units.corpus
            and words.word_id = word_units.word_id

)

select * from final
