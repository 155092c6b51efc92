-- Does the gain survive without glossary-like documents?
-- Read: a document is glossary-like when the list's words make up at least 30 % of its tokens (--vars
-- '{ask_glossary_share: 0.3}'). Items are cut by whether such a document of the strategy's export shows one of their
-- words. A gain that lives only in the first row is a lesson learnt from word lists, not from prose.
-- In short: strategy {strategy}, items {items}: {score_delta} against random_multilingual.
with

glossaries as (

    select
        matches.corpus,
        matches.doc_id
    from {{ ref('stg_word_documents') }} as matches
    inner join {{ ref('dim_documents') }} as documents
        on
            matches.corpus = documents.corpus
            and matches.doc_id = documents.doc_id
    group by matches.corpus, matches.doc_id
    having sum(matches.n_matches) >= {{ var("ask_glossary_share", 0.3) }} * max(documents.n_tokens)

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

listed as (

    select distinct
        exports.corpus,
        exports.strategy,
        items.item_id
    from exports
    inner join {{ ref('fct_selected_documents') }} as selected
        on
            exports.corpus = selected.corpus
            and exports.strategy = selected.strategy
            and exports.budget_tokens >= selected.min_budget_tokens
    inner join glossaries
        on
            selected.corpus = glossaries.corpus
            and selected.doc_id = glossaries.doc_id
    inner join {{ ref('stg_word_documents') }} as matches
        on
            selected.corpus = matches.corpus
            and selected.doc_id = matches.doc_id
    inner join {{ ref('stg_translation_items') }} as items on matches.word_id = items.word_id

),

scores as (

    select
        corpus,
        experiment,
        strategy,
        item_id,
        source_lang,
        target_lang,
        avg(score) as score
    from {{ ref('fct_item_scores') }}
    where experiment is not null and score is not null
    group by corpus, experiment, strategy, item_id, source_lang, target_lang

)

select
    scores.experiment,
    scores.strategy,
    case when listed.item_id is null then 'in no glossary' else 'in a glossary' end as items,
    count(distinct scores.item_id) as n_items,
    count(*) as n_scored,
    round({{ exact_avg('scores.score - baselines.score') }}, 4) as score_delta
from scores
inner join scores as baselines
    on
        scores.experiment = baselines.experiment
        and scores.item_id = baselines.item_id
        and scores.source_lang = baselines.source_lang
        and scores.target_lang = baselines.target_lang
        and baselines.strategy = 'random_multilingual'
left join listed
    on
        scores.corpus = listed.corpus
        and scores.strategy = listed.strategy
        and scores.item_id = listed.item_id
where scores.strategy not in ('base', 'random_multilingual')
group by all
order by scores.experiment, scores.strategy, items
