-- One row per corpus, score method, item, direction and token among the pair's best candidates.

with candidates as (

    select * from {{ ref('int_pivot_candidates') }}

),

pairs as (

    select * from {{ ref('int_word_pairs') }}

),

word_tokens as (

    select * from {{ ref('int_word_tokens') }}

),

tokens as (

    select * from {{ ref('int_tokens') }}

),

reviews as (

    select * from {{ ref('int_pivot_reviews') }}

),

detailed as (

    select
        candidates.corpus,
        candidates.score_method,
        candidates.item_id,
        pairs.word_split,
        pairs.lang_a,
        pairs.lang_b,
        pairs.word_a,
        pairs.word_b,
        candidates.token_id,
        tokens.token,
        tokens_a.n_docs as n_docs_token_a,
        tokens_b.n_docs as n_docs_token_b,
        tokens_a.word_rate as rate_a,
        tokens_b.word_rate as rate_b,
        tokens.doc_rate as background_rate,
        tokens_a.expected_rate as expected_rate_a,
        tokens_b.expected_rate as expected_rate_b,
        tokens_a.deviance_root as deviance_root_a,
        tokens_b.deviance_root as deviance_root_b,
        tokens_a.z as z_a,
        tokens_b.z as z_b,
        tokens_a.is_own_token or tokens_b.is_own_token as is_own_token,
        tokens.is_special,
        tokens.is_blank,
        candidates.pivot_score,
        candidates.pivot_rank,
        coalesce(reviews.review_status, 'unreviewed') as review_status
    from candidates
    inner join pairs
        on
            candidates.corpus = pairs.corpus
            and candidates.item_id = pairs.item_id
            and candidates.lang_a = pairs.lang_a
            and candidates.lang_b = pairs.lang_b
    inner join word_tokens as tokens_a
        on
            pairs.corpus = tokens_a.corpus
            and pairs.word_id_a = tokens_a.word_id
            and candidates.token_id = tokens_a.token_id
    inner join word_tokens as tokens_b
        on
            pairs.corpus = tokens_b.corpus
            and pairs.word_id_b = tokens_b.word_id
            and candidates.token_id = tokens_b.token_id
    inner join tokens
        on
            candidates.corpus = tokens.corpus
            and candidates.token_id = tokens.token_id
    left join reviews
        on
            pairs.lang_a = reviews.lang_a
            and pairs.word_a = reviews.word_a
            and pairs.lang_b = reviews.lang_b
            and pairs.word_b = reviews.word_b
            and tokens.token = reviews.token

),

directed as (

    {% for source, target in [('a', 'b'), ('b', 'a')] %}
        select
            corpus,
            score_method,
            item_id,
            word_split,
            lang_{{ source }} as source_lang,
            lang_{{ target }} as target_lang,
            word_{{ source }} as source_word,
            word_{{ target }} as target_word,
            token_id,
            token,
            n_docs_token_{{ source }} as n_docs_source_token,
            n_docs_token_{{ target }} as n_docs_target_token,
            rate_{{ source }} as source_rate,
            rate_{{ target }} as target_rate,
            background_rate,
            expected_rate_{{ source }} as expected_source_rate,
            expected_rate_{{ target }} as expected_target_rate,
            rate_{{ source }} - expected_rate_{{ source }} as source_rate_difference,
            rate_{{ target }} - expected_rate_{{ target }} as target_rate_difference,
            deviance_root_{{ source }} as source_deviance_root,
            deviance_root_{{ target }} as target_deviance_root,
            z_{{ source }} as source_z,
            z_{{ target }} as target_z,
            is_own_token,
            is_special,
            is_blank,
            pivot_score,
            pivot_rank,
            review_status
        from detailed
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

final as (

    select
        *,
        review_status = 'accepted'
        or (review_status = 'unreviewed' and '{{ var('unreviewed_candidates') }}' = 'kept') as is_kept
    from directed

)

select * from final
