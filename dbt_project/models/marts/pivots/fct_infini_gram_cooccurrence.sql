-- One row per infini-gram run, item and direction: what the index says of the two words, beside the exact counts where
-- there are any.

with

pairs as (

    select * from {{ ref('int_infini_gram_pairs__answered') }}

),

counted_pairs as (

    select * from {{ ref('int_word_pairs__counted') }}

),

beside as (

    select
        pairs.*,
        counted_pairs.n_docs_a as counted_docs_a,
        counted_pairs.n_docs_b as counted_docs_b,
        counted_pairs.n_docs_both as counted_docs_both
    from pairs
    left join counted_pairs
        on
            pairs.corpus = counted_pairs.corpus
            and pairs.item_id = counted_pairs.item_id
            and pairs.lang_a = counted_pairs.lang_a
            and pairs.lang_b = counted_pairs.lang_b

),

directed as (

    {% for source, target in [('a', 'b'), ('b', 'a')] -%}
        select
            run_id,
            corpus,
            index_name,
            engine,
            max_diff_tokens,
            item_id,
            word_split,
            lang_{{ source }} as source_lang,
            lang_{{ target }} as target_lang,
            word_{{ source }} as source_word,
            word_{{ target }} as target_word,
            n_occurrences_{{ source }} as n_occurrences_source,
            n_occurrences_{{ target }} as n_occurrences_target,
            n_occurrences_both,
            is_approx,
            is_sampled,
            n_docs_{{ source }} as n_docs_source,
            n_docs_{{ target }} as n_docs_target,
            n_docs_both,
            counted_docs_{{ source }} as counted_docs_source,
            counted_docs_{{ target }} as counted_docs_target,
            counted_docs_both
        from beside
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

final as (

    select
        *,
        {{ unit_rate('n_occurrences_both', 'least(n_occurrences_source, n_occurrences_target)') }} as rarer_word_rate
    from directed

)

select * from final
