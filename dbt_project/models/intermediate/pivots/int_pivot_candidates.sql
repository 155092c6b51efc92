-- One row per corpus, score method, item, unordered pair of languages and token among the pair's best candidates.
-- Both scores are symmetric in the two words, so a pair is scored once; the mart mirrors it.

with pairs as (

    select * from {{ ref('int_word_pairs') }}
    where n_docs_a > 0 and n_docs_b > 0

),

-- a token dropped at one word is dropped from every pair of that word: own tokens of both words go this way
word_tokens as (

    select * from {{ ref('int_word_tokens') }}
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

ranked as (

    {% for method in ['paper', 'adjusted'] %}
        select
            corpus,
            '{{ method }}' as score_method,
            item_id,
            lang_a,
            lang_b,
            token_id,
            pivot_score,
            row_number() over (
                partition by corpus, item_id, lang_a, lang_b
                order by pivot_score desc, token_id asc
            ) as pivot_rank
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
