-- Which words never share a document with their translation, and are linked all the same?
-- Read: pairs with no common unit, both words frequent (var quality_min_units), by the score of their best candidate:
-- if a model translates these, it did not learn it from the two words standing together.
-- In short: {source_word} ({source_lang}) and {target_word} ({target_lang}) never meet; "{token}" stands beside both.
select
    pairs.corpus,
    pairs.source_word,
    pairs.source_lang,
    pairs.target_word,
    pairs.target_lang,
    pairs.n_docs_source,
    pairs.n_docs_target,
    best.token,
    round(best.pivot_score, 2) as pivot_score
from {{ ref('fct_word_pair_cooccurrence') }} as pairs
inner join {{ ref('fct_pivot_candidates') }} as best
    on
        pairs.corpus = best.corpus
        and pairs.item_id = best.item_id
        and pairs.source_lang = best.source_lang
        and pairs.target_lang = best.target_lang
        and best.score_method = '{{ var("pivot_set_score_method") }}'
        and best.pivot_rank = 1
where
    pairs.n_docs_both = 0
    and pairs.n_docs_source >= {{ var('quality_min_units') }}
    and pairs.n_docs_target >= {{ var('quality_min_units') }}
    and pairs.source_lang < pairs.target_lang
order by best.pivot_score desc, pairs.item_id asc, pairs.source_lang asc, pairs.target_lang asc
limit 12
