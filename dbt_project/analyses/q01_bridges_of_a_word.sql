-- Which tokens bridge French to Japanese for "library"?
-- Read: candidates of one pair by the default score. Both rates stand well above what units of the same language and
-- length would hold (expected). Other words and languages: --vars '{ask_word: bank, ask_source_lang: fr,
-- ask_target_lang: zh}'; the word is given in ask_word_lang.
-- In short: the best bridge from {source_word} to {target_word} is "{token}", score {pivot_score}.
with

asked as (

    select item_id
    from {{ ref('fct_word_pair_cooccurrence') }}
    where source_word = '{{ var("ask_word", "library") }}' and source_lang = '{{ var("ask_word_lang", "en") }}'

)

select
    candidates.corpus,
    candidates.source_word,
    candidates.target_word,
    candidates.pivot_rank,
    candidates.token,
    round(candidates.pivot_score, 2) as pivot_score,
    round(candidates.source_rate, 3) as source_rate,
    round(candidates.expected_source_rate, 3) as expected_source_rate,
    round(candidates.target_rate, 3) as target_rate,
    round(candidates.expected_target_rate, 3) as expected_target_rate
from {{ ref('fct_pivot_candidates') }} as candidates
where
    candidates.item_id in (select asked.item_id from asked)
    and candidates.source_lang = '{{ var("ask_source_lang", "fr") }}'
    and candidates.target_lang = '{{ var("ask_target_lang", "ja") }}'
    and candidates.score_method = '{{ var("pivot_set_score_method") }}'
    and candidates.pivot_rank <= 10
order by candidates.corpus, candidates.item_id, candidates.pivot_rank
