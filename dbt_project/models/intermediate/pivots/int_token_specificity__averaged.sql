-- One row per corpus, language and token that stands out beside a word of the list in that language: the mean of its
-- five largest G over those words (missing ones count 0). What stands out beside many words says little about one.

with

word_tokens as (

    select * from {{ ref('int_word_tokens__measured') }}
    where deviance_root > 0

),

words as (

    select * from {{ ref('int_words__counted') }}

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
        {{ exact_sum('deviance_root') }} / 5 as top_root_mean
    from ordered
    where word_rank <= 5
    group by corpus, lang, token_id

)

select * from final
