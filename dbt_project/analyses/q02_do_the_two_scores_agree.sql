-- Do the paper's score and the adjusted one name the same tokens?
-- Read: of the ten best candidates of a pair by one score, the share that the other has among its ten best, too; mean
-- over pairs. A low share means that the choice of the score decides what a pivot is.
-- In short: from {source_lang} to {target_lang} has the least in common, {shared_share} of the ten best.
with

best as (

    select
        corpus,
        score_method,
        item_id,
        source_lang,
        target_lang,
        token_id
    from {{ ref('fct_pivot_candidates') }}
    where pivot_rank <= 10 and source_lang < target_lang

),

of_pairs as (

    select
        adjusted.corpus,
        adjusted.item_id,
        adjusted.source_lang,
        adjusted.target_lang,
        count(paper.token_id) / cast(count(*) as double) as shared_share
    from best as adjusted
    left join best as paper
        on
            adjusted.corpus = paper.corpus
            and adjusted.item_id = paper.item_id
            and adjusted.source_lang = paper.source_lang
            and adjusted.target_lang = paper.target_lang
            and adjusted.token_id = paper.token_id
            and paper.score_method = 'paper'
    where adjusted.score_method = 'adjusted'
    group by adjusted.corpus, adjusted.item_id, adjusted.source_lang, adjusted.target_lang

)

select
    corpus,
    source_lang,
    target_lang,
    count(*) as n_pairs,
    round({{ exact_avg('shared_share') }}, 3) as shared_share
from of_pairs
group by corpus, source_lang, target_lang
order by corpus, shared_share, source_lang, target_lang
