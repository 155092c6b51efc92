-- One row per training run, item, pair of languages and step that showed one of the two words: what was read by then.
with

reads as (

    select * from {{ ref('int_word_reads__counted') }}

),

items as (

    select * from {{ ref('stg_translation_items') }}

),

pairs as (

    {{ item_pairs('items') | indent }}

),

words as (

    select
        item_id,
        lang_a,
        lang_b,
        word_id_a as word_id,
        1 as is_a
    from pairs

    union all

    select
        item_id,
        lang_a,
        lang_b,
        word_id_b as word_id,
        0 as is_a
    from pairs

),

shown as (

    select
        reads.run_id,
        reads.step,
        reads.sequence,
        reads.doc_id,
        words.item_id,
        words.lang_a,
        words.lang_b,
        sum(reads.n_matches * words.is_a) as n_matches_a,
        sum(reads.n_matches * (1 - words.is_a)) as n_matches_b
    from words
    inner join reads on words.word_id = reads.word_id
    group by
        reads.run_id,
        reads.step,
        reads.sequence,
        reads.doc_id,
        words.item_id,
        words.lang_a,
        words.lang_b

),

stepped as (

    select
        run_id,
        item_id,
        lang_a,
        lang_b,
        step,
        sum(n_matches_a) as n_matches_a,
        sum(n_matches_b) as n_matches_b,
        sum(case when n_matches_a > 0 and n_matches_b > 0 then 1 else 0 end) as n_together
    from shown
    group by run_id, item_id, lang_a, lang_b, step

),

final as (

    select
        run_id,
        item_id,
        lang_a,
        lang_b,
        step,
        cast(sum(n_matches_a) over (
            partition by run_id, item_id, lang_a, lang_b
            order by step
            rows between unbounded preceding and current row
        ) as bigint) as n_matches_a,
        cast(sum(n_matches_b) over (
            partition by run_id, item_id, lang_a, lang_b
            order by step
            rows between unbounded preceding and current row
        ) as bigint) as n_matches_b,
        cast(sum(n_together) over (
            partition by run_id, item_id, lang_a, lang_b
            order by step
            rows between unbounded preceding and current row
        ) as bigint) as n_together
    from stepped

)

select * from final
