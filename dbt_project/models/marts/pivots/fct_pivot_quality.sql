-- One row per corpus, score method, direction, pivot language and list length: is the third language's translation
-- among the best candidates of a pair? Where planted pivots are known, also how many of them were found.

with

pairs as (

    select * from {{ ref('int_word_pairs__counted') }}
    where n_docs_a >= {{ var('quality_min_units') }} and n_docs_b >= {{ var('quality_min_units') }}

),

candidates as (

    select * from {{ ref('int_pivot_candidates__ranked') }}

),

items as (

    select * from {{ ref('stg_translation_items') }}

),

corpora as (

    select * from {{ ref('stg_corpora') }}

),

forms as (

    select * from {{ ref('stg_word_token_forms') }}
    where {{ n_elements('token_ids') }} = 1

),

own_tokens as (

    select * from {{ ref('int_own_tokens__unnested') }}

),

planted_pivots as (

    select distinct
        corpus,
        item_id,
        token_id
    from {{ ref('stg_planted_pivots') }}
    where token_id is not null

),

score_methods as (

    select score_method from {{ ref('int_score_methods__listed') }}

),

list_lengths as (

    {% for top_k in var('quality_top_ks') %}
        select cast({{ top_k }} as integer) as top_k
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

-- the third language's word, where one token writes it and that token is not one of the pair's own
pivot_tokens as (

    select distinct
        pairs.corpus,
        pairs.item_id,
        pairs.lang_a,
        pairs.lang_b,
        pairs.word_split,
        items.lang as pivot_lang,
        {{ first_element('forms.token_ids') }} as token_id
    from pairs
    inner join items
        on
            pairs.item_id = items.item_id
            and pairs.lang_a <> items.lang
            and pairs.lang_b <> items.lang
    inner join corpora on pairs.corpus = corpora.corpus
    inner join forms
        on
            corpora.tokenizer_hash = forms.tokenizer_hash
            and items.word_id = forms.word_id
    left join own_tokens as own_tokens_a
        on
            pairs.corpus = own_tokens_a.corpus
            and pairs.word_id_a = own_tokens_a.word_id
            and {{ first_element('forms.token_ids') }} = own_tokens_a.token_id
    left join own_tokens as own_tokens_b
        on
            pairs.corpus = own_tokens_b.corpus
            and pairs.word_id_b = own_tokens_b.word_id
            and {{ first_element('forms.token_ids') }} = own_tokens_b.token_id
    where own_tokens_a.token_id is null and own_tokens_b.token_id is null

),

best_ranks as (

    select
        pivot_tokens.corpus,
        score_methods.score_method,
        pivot_tokens.item_id,
        pivot_tokens.lang_a,
        pivot_tokens.lang_b,
        pivot_tokens.word_split,
        pivot_tokens.pivot_lang,
        min(candidates.pivot_rank) as best_rank
    from pivot_tokens
    cross join score_methods
    left join candidates
        on
            pivot_tokens.corpus = candidates.corpus
            and score_methods.score_method = candidates.score_method
            and pivot_tokens.item_id = candidates.item_id
            and pivot_tokens.lang_a = candidates.lang_a
            and pivot_tokens.lang_b = candidates.lang_b
            and pivot_tokens.token_id = candidates.token_id
    group by
        pivot_tokens.corpus,
        score_methods.score_method,
        pivot_tokens.item_id,
        pivot_tokens.lang_a,
        pivot_tokens.lang_b,
        pivot_tokens.word_split,
        pivot_tokens.pivot_lang

),

listed as (

    select
        best_ranks.*,
        list_lengths.top_k,
        case when best_ranks.best_rank <= list_lengths.top_k then 1 else 0 end as is_hit
    from best_ranks
    cross join list_lengths

),

translated as (

    select
        listed.corpus,
        listed.score_method,
        listed.lang_a,
        listed.lang_b,
        listed.pivot_lang,
        listed.top_k,
        count(*) as n_pairs,
        {{ exact_avg('listed.is_hit') }} as recall,
        {{ exact_avg("case when listed.word_split = 'find' then listed.is_hit end") }} as find_recall,
        {{ exact_avg("case when listed.word_split = 'judge' then listed.is_hit end") }} as judge_recall,
        {{ rounded('coalesce(' ~ exact_sum(
            'case when listed.is_hit = 1 then 1.0e0 / listed.best_rank else 0 end'
        ) ~ ', 0) / count(*)', 6) }} as mean_reciprocal_rank
    from listed
    group by
        listed.corpus,
        listed.score_method,
        listed.lang_a,
        listed.lang_b,
        listed.pivot_lang,
        listed.top_k

),

planted_pairs as (

    select distinct
        pairs.corpus,
        pairs.item_id,
        pairs.lang_a,
        pairs.lang_b
    from pairs
    inner join planted_pivots
        on
            pairs.corpus = planted_pivots.corpus
            and pairs.item_id = planted_pivots.item_id

),

planted_tokens as (

    select
        planted_pairs.corpus,
        planted_pairs.lang_a,
        planted_pairs.lang_b,
        count(*) as n_planted
    from planted_pairs
    inner join planted_pivots
        on
            planted_pairs.corpus = planted_pivots.corpus
            and planted_pairs.item_id = planted_pivots.item_id
    group by planted_pairs.corpus, planted_pairs.lang_a, planted_pairs.lang_b

),

planted_found as (

    select
        candidates.corpus,
        candidates.score_method,
        candidates.lang_a,
        candidates.lang_b,
        list_lengths.top_k,
        count(*) as n_candidates,
        count(planted_pivots.token_id) as n_found
    from candidates
    inner join planted_pairs
        on
            candidates.corpus = planted_pairs.corpus
            and candidates.item_id = planted_pairs.item_id
            and candidates.lang_a = planted_pairs.lang_a
            and candidates.lang_b = planted_pairs.lang_b
    inner join list_lengths on candidates.pivot_rank <= list_lengths.top_k
    left join planted_pivots
        on
            candidates.corpus = planted_pivots.corpus
            and candidates.item_id = planted_pivots.item_id
            and candidates.token_id = planted_pivots.token_id
    group by
        candidates.corpus,
        candidates.score_method,
        candidates.lang_a,
        candidates.lang_b,
        list_lengths.top_k

),

joined as (

    select
        translated.*,
        coalesce(planted_tokens.n_planted, 0) as n_planted_pivots,
        {{ unit_rate('coalesce(planted_found.n_found, 0)', 'planted_tokens.n_planted') }} as planted_recall,
        {{ unit_rate('planted_found.n_found', 'planted_found.n_candidates') }} as planted_precision
    from translated
    left join planted_tokens
        on
            translated.corpus = planted_tokens.corpus
            and translated.lang_a = planted_tokens.lang_a
            and translated.lang_b = planted_tokens.lang_b
    left join planted_found
        on
            translated.corpus = planted_found.corpus
            and translated.score_method = planted_found.score_method
            and translated.lang_a = planted_found.lang_a
            and translated.lang_b = planted_found.lang_b
            and translated.top_k = planted_found.top_k

),

final as (

    {% for source, target in [('a', 'b'), ('b', 'a')] %}
        select
            corpus,
            score_method,
            lang_{{ source }} as source_lang,
            lang_{{ target }} as target_lang,
            pivot_lang,
            top_k,
            n_pairs,
            recall,
            find_recall,
            judge_recall,
            mean_reciprocal_rank,
            n_planted_pivots,
            planted_recall,
            planted_precision
        from joined
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

)

select * from final
