-- Two things share no more units than either has, and what is expected of them is a possible number of units.
with

word_tokens as (

    select
        joint.corpus,
        'word and token' as things,
        joint.word_id as first_id,
        joint.token_id as second_id,
        joint.n_docs,
        least(words.n_docs, tokens.n_docs) as n_docs_at_most,
        joint.expected_n_docs
    from {{ ref('stg_word_tokens') }} as joint
    inner join {{ ref('int_words__counted') }} as words
        on
            joint.corpus = words.corpus
            and joint.word_id = words.word_id
    inner join {{ ref('int_tokens__counted') }} as tokens
        on
            joint.corpus = tokens.corpus
            and joint.token_id = tokens.token_id

),

token_pairs as (

    select
        joint.corpus,
        'two tokens' as things,
        joint.token_id_a as first_id,
        joint.token_id_b as second_id,
        joint.n_docs,
        least(tokens_a.n_docs, tokens_b.n_docs) as n_docs_at_most,
        joint.expected_n_docs
    from {{ ref('stg_token_pairs') }} as joint
    inner join {{ ref('int_tokens__counted') }} as tokens_a
        on
            joint.corpus = tokens_a.corpus
            and joint.token_id_a = tokens_a.token_id
    inner join {{ ref('int_tokens__counted') }} as tokens_b
        on
            joint.corpus = tokens_b.corpus
            and joint.token_id_b = tokens_b.token_id

),

joint_counts as (

    select * from word_tokens
    union all
    select * from token_pairs

)

select * from joint_counts
where
    n_docs > n_docs_at_most
    or expected_n_docs < 0
    or expected_n_docs > n_docs_at_most * (1 + 1e-9)
