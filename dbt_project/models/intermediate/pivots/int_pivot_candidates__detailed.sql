-- One row per corpus, score method, item, direction and token among the pair's best candidates.

with

candidates as (

    select * from {{ ref('int_pivot_candidates__ranked') }}

),

pairs as (

    select * from {{ ref('int_word_pairs__counted') }}

),

word_tokens as (

    select * from {{ ref('int_word_tokens__measured') }}

),

tokens as (

    select * from {{ ref('int_tokens__counted') }}

),

reviews as (

    select * from {{ ref('int_pivot_reviews__settled') }}

),

-- a candidate from each of its two words: joined to both at once, the planner may pair all words of a token first
sides as (

    {% for source, target in [('a', 'b'), ('b', 'a')] %}
        select
            candidates.corpus,
            candidates.score_method,
            candidates.item_id,
            pairs.word_split,
            pairs.lang_{{ source }} as lang,
            pairs.word_{{ source }} as word,
            pairs.word_id_{{ source }} as word_id,
            pairs.lang_{{ target }} as other_lang,
            candidates.token_id,
            candidates.pivot_score,
            candidates.pivot_rank
        from candidates
        inner join pairs
            on
                candidates.corpus = pairs.corpus
                and candidates.item_id = pairs.item_id
                and candidates.lang_a = pairs.lang_a
                and candidates.lang_b = pairs.lang_b
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

detailed as (

    select
        sides.*,
        word_tokens.n_docs,
        word_tokens.word_rate,
        word_tokens.expected_rate,
        word_tokens.deviance_root,
        word_tokens.z,
        word_tokens.is_own_token
    from sides
    inner join word_tokens
        on
            sides.corpus = word_tokens.corpus
            and sides.word_id = word_tokens.word_id
            and sides.token_id = word_tokens.token_id

),

directed as (

    select
        sources.corpus,
        sources.score_method,
        sources.item_id,
        sources.word_split,
        sources.lang as source_lang,
        targets.lang as target_lang,
        sources.word as source_word,
        targets.word as target_word,
        sources.token_id,
        tokens.token,
        sources.n_docs as n_docs_source_token,
        targets.n_docs as n_docs_target_token,
        sources.word_rate as source_rate,
        targets.word_rate as target_rate,
        tokens.doc_rate as background_rate,
        sources.expected_rate as expected_source_rate,
        targets.expected_rate as expected_target_rate,
        sources.word_rate - sources.expected_rate as source_rate_difference,
        targets.word_rate - targets.expected_rate as target_rate_difference,
        sources.deviance_root as source_deviance_root,
        targets.deviance_root as target_deviance_root,
        sources.z as source_z,
        targets.z as target_z,
        sources.is_own_token or targets.is_own_token as is_own_token,
        tokens.is_special,
        tokens.is_blank,
        sources.pivot_score,
        sources.pivot_rank
    from detailed as sources
    inner join detailed as targets
        on
            sources.corpus = targets.corpus
            and sources.score_method = targets.score_method
            and sources.item_id = targets.item_id
            and sources.lang = targets.other_lang
            and sources.other_lang = targets.lang
            and sources.token_id = targets.token_id
    inner join tokens
        on
            sources.corpus = tokens.corpus
            and sources.token_id = tokens.token_id

),

reviewed as (

    select
        directed.*,
        coalesce(reviews.review_status, 'unreviewed') as review_status
    from directed
    left join reviews
        on
            least(directed.source_lang, directed.target_lang) = reviews.lang_a
            and greatest(directed.source_lang, directed.target_lang) = reviews.lang_b
            and directed.token = reviews.token
            and case when directed.source_lang < directed.target_lang then source_word else target_word end
            = reviews.word_a
            and case when directed.source_lang < directed.target_lang then target_word else source_word end
            = reviews.word_b

),

final as (

    select
        *,
        review_status = 'accepted'
        or (review_status = 'unreviewed' and '{{ var('unreviewed_candidates') }}' = 'kept') as is_kept
    from reviewed

)

select * from final
