-- How often does each strategy show the words that models are judged by?
-- Read: occurrences of evaluation words in the documents of each export. More exposure is the rival explanation of
-- any gain. word_density is the control for it: it takes documents with many of the list's other half, the find
-- words, and knows nothing of pivots.
-- In short: strategy {strategy} shows an evaluation word {mean_matches} times on average.
with

judges as (

    select distinct word_id
    from {{ ref('stg_translation_items') }}
    where word_split = 'judge'

),

exports as (

    select distinct
        export_id,
        corpus,
        strategy,
        budget_tokens
    from {{ ref('stg_exports') }}
    where strategy <> 'held_out'

),

exposure as (

    select word_exposure.*
    from {{ ref('fct_word_exposure') }} as word_exposure
    inner join judges on word_exposure.word_id = judges.word_id

),

n_judges as (

    select count(*) as n_words
    from judges

)

select
    exports.corpus,
    exports.strategy,
    exports.budget_tokens,
    max(n_judges.n_words) as n_evaluation_words,
    count(exposure.word_id) as n_words_shown,
    round(cast(coalesce(sum(exposure.n_matches), 0) as double) / max(n_judges.n_words), 1) as mean_matches
from exports
cross join n_judges
left join exposure on exports.export_id = exposure.export_id
group by exports.export_id, exports.corpus, exports.strategy, exports.budget_tokens
order by exports.corpus asc, mean_matches desc, exports.strategy asc
