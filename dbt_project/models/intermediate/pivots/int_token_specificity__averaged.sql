-- One row per corpus, language and token that stands out beside a word of the list in that language: the sums of its
-- five and of its four largest G over those words. What stands out beside many words says little about one. Only words
-- of items that may find pivots count (var pivot_items), so evaluation words have no part in the scores of other words.

with

word_tokens as (

    select * from {{ ref('int_word_tokens__measured') }}
    where deviance_root > 0

),

finding_words as (

    select distinct word_id from {{ ref('stg_translation_items') }}
    where {{ may_find_pivots('word_split') }}

),

words as (

    select words.*
    from {{ ref('int_words__counted') }} as words
    inner join finding_words on words.word_id = finding_words.word_id

),

ordered as (

    select
        word_tokens.corpus,
        words.lang,
        word_tokens.token_id,
        word_tokens.deviance_root,
        row_number() over (
            partition by word_tokens.corpus, words.lang, word_tokens.token_id
            order by word_tokens.deviance_root desc
        ) as word_rank
    from word_tokens
    inner join words
        on
            word_tokens.corpus = words.corpus
            and word_tokens.word_id = words.word_id

),

final as (

    select
        corpus,
        lang,
        token_id,
        {{ exact_sum('deviance_root') }} as five_largest_sum,
        coalesce({{ exact_sum('case when word_rank <= 4 then deviance_root end') }}, 0) as four_largest_sum
    from ordered
    where word_rank <= 5
    group by corpus, lang, token_id

)

select * from final
