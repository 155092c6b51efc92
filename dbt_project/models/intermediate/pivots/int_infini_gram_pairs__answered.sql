-- One row per infini-gram run, item and unordered pair of languages (lang_a < lang_b) whose counts are known. A pair
-- is not asked for where they follow from its words: 0 when one never occurs, the word's own when both are the same.

with

answers as (

    select * from {{ ref('stg_infini_gram_counts') }}

),

items as (

    select * from {{ ref('stg_translation_items') }}

),

words as (

    select * from {{ ref('stg_words') }}

),

word_answers as (

    select * from answers
    where word_id_a is not null and word_id_b is null

),

pair_answers as (

    select * from answers
    where word_id_b is not null

),

item_pairs as (

    {{ item_pairs('items') | indent }}

),

answered as (

    select
        answers_a.corpus,
        answers_a.run_id,
        answers_a.index_name,
        answers_a.engine,
        answers_a.max_diff_tokens,
        item_pairs.item_id,
        item_pairs.word_split,
        item_pairs.lang_a,
        item_pairs.lang_b,
        words_a.word as word_a,
        words_b.word as word_b,
        answers_a.n_occurrences as n_occurrences_a,
        answers_b.n_occurrences as n_occurrences_b,
        case
            when answers_a.n_occurrences = 0 or answers_b.n_occurrences = 0 then 0
            when answers_a.query = answers_b.query then answers_a.n_occurrences
            else pair_answers.n_occurrences
        end as n_occurrences_both,
        coalesce(pair_answers.is_approx, false) as is_approx,
        coalesce(
            answers_a.n_occurrences > pair_answers.max_clause_freq
            or answers_b.n_occurrences > pair_answers.max_clause_freq, false
        ) as is_sampled,
        answers_a.n_docs as n_docs_a,
        answers_b.n_docs as n_docs_b,
        case
            when answers_a.n_docs = 0 or answers_b.n_docs = 0 then 0
            when answers_a.query = answers_b.query then answers_a.n_docs
            else pair_answers.n_docs
        end as n_docs_both
    from item_pairs
    inner join words as words_a on item_pairs.word_id_a = words_a.word_id
    inner join words as words_b on item_pairs.word_id_b = words_b.word_id
    inner join word_answers as answers_a on item_pairs.word_id_a = answers_a.word_id_a
    inner join word_answers as answers_b
        on
            item_pairs.word_id_b = answers_b.word_id_a
            and answers_a.run_id = answers_b.run_id
    left join pair_answers
        on
            answers_a.run_id = pair_answers.run_id
            and least(item_pairs.word_id_a, item_pairs.word_id_b) = pair_answers.word_id_a
            and greatest(item_pairs.word_id_a, item_pairs.word_id_b) = pair_answers.word_id_b

),

final as (

    select * from answered
    where n_occurrences_both is not null

)

select * from final
