-- One row per corpus, score method, item, unordered pair of languages and token among the pair's best candidates.
-- All scores are symmetric in the two words, so a pair is scored once; the mart mirrors it.

with

pairs as (

    select * from {{ ref('int_word_pairs__counted') }}
    where n_docs_a > 0 and n_docs_b > 0

),

-- a token dropped at one word is dropped from every pair of that word: own tokens of both words go this way
word_tokens as (

    select * from {{ ref('int_word_tokens__measured') }}
    {% if var('exclude_flagged_tokens') %}
        where not is_own_token and not is_special_or_blank
    {% endif %}

),

scored_paper as (

    select
        pairs.corpus,
        pairs.item_id,
        pairs.lang_a,
        pairs.lang_b,
        tokens_a.token_id,
        {{ pivot_score_paper('tokens_a.word_rate', 'tokens_b.word_rate', 'tokens_a.background_rate') }} as pivot_score
    from pairs
    inner join word_tokens as tokens_a
        on
            pairs.corpus = tokens_a.corpus
            and pairs.word_id_a = tokens_a.word_id
            and tokens_a.word_rate > tokens_a.background_rate
    inner join word_tokens as tokens_b
        on
            pairs.corpus = tokens_b.corpus
            and pairs.word_id_b = tokens_b.word_id
            and tokens_a.token_id = tokens_b.token_id
            and tokens_b.word_rate > tokens_b.background_rate

),

scored_adjusted as (

    select
        pairs.corpus,
        pairs.item_id,
        pairs.lang_a,
        pairs.lang_b,
        tokens_a.token_id,
        {{ pivot_score_adjusted('tokens_a.deviance_root', 'tokens_b.deviance_root') }} as pivot_score
    from pairs
    inner join word_tokens as tokens_a
        on
            pairs.corpus = tokens_a.corpus
            and pairs.word_id_a = tokens_a.word_id
            and tokens_a.deviance_root > 0
    inner join word_tokens as tokens_b
        on
            pairs.corpus = tokens_b.corpus
            and pairs.word_id_b = tokens_b.word_id
            and tokens_a.token_id = tokens_b.token_id
            and tokens_b.deviance_root > 0

),

words as (

    select * from {{ ref('int_words__counted') }}

),

token_specificity as (

    select * from {{ ref('int_token_specificity__averaged') }}

),

finding_words as (

    select distinct word_id from {{ ref('stg_translation_items') }}
    where {{ may_find_pivots('word_split') }}

),

-- the mean of the five largest G over the words that may find pivots and the word itself, missing ones counting 0
top_roots as (

    select
        word_tokens.corpus,
        word_tokens.word_id,
        word_tokens.token_id,
        word_tokens.deviance_root,
        case
            when finding_words.word_id is not null then token_specificity.five_largest_sum
            else greatest(
                coalesce(token_specificity.five_largest_sum, 0),
                coalesce(token_specificity.four_largest_sum, 0) + word_tokens.deviance_root
            )
        end / 5 as top_root_mean
    from word_tokens
    inner join words
        on
            word_tokens.corpus = words.corpus
            and word_tokens.word_id = words.word_id
    left join finding_words on word_tokens.word_id = finding_words.word_id
    left join token_specificity
        on
            word_tokens.corpus = token_specificity.corpus
            and words.lang = token_specificity.lang
            and word_tokens.token_id = token_specificity.token_id
    where word_tokens.deviance_root > 0

),

specific_roots as (

    select
        corpus,
        word_id,
        token_id,
        {{ specific_root('deviance_root', 'top_root_mean') }} as specific_root
    from top_roots

),

scored_specific as (

    select
        pairs.corpus,
        pairs.item_id,
        pairs.lang_a,
        pairs.lang_b,
        roots_a.token_id,
        {{ pivot_score_specific('roots_a.specific_root', 'roots_b.specific_root') }} as pivot_score
    from pairs
    inner join specific_roots as roots_a
        on
            pairs.corpus = roots_a.corpus
            and pairs.word_id_a = roots_a.word_id
    inner join specific_roots as roots_b
        on
            pairs.corpus = roots_b.corpus
            and pairs.word_id_b = roots_b.word_id
            and roots_a.token_id = roots_b.token_id

),

ranked as (

    {% for method in ['paper', 'adjusted', 'specific'] %}
        select
            corpus,
            '{{ method }}' as score_method,
            item_id,
            lang_a,
            lang_b,
            token_id,
            pivot_score,
            cast(row_number() over (
                partition by corpus, item_id, lang_a, lang_b
                order by pivot_score desc, token_id asc
            ) as bigint) as pivot_rank
        from scored_{{ method }}
        where pivot_score > 0
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

final as (

    select * from ranked
    where pivot_rank <= {{ var('max_candidates') }}

)

select * from final
