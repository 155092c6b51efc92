-- The row all/all of a score or a difference is the plain mean over its directions, neither weighted nor pooled.
with

values_of_directions as (

    select
        run_id as subject,
        word_split,
        source_lang,
        score as value
    from {{ ref('fct_translation_scores') }}

    union all

    select
        concat(experiment, ' ', strategy, ' ', baseline) as subject,
        word_split,
        source_lang,
        score_delta as value
    from {{ ref('fct_strategy_comparison') }}

)

select
    subject,
    word_split,
    avg(case when source_lang = 'all' then value end) as of_all,
    avg(case when source_lang <> 'all' then value end) as mean_of_directions
from values_of_directions
group by subject, word_split
having
    abs(avg(case when source_lang = 'all' then value end) - avg(case when source_lang <> 'all' then value end)) > 1e-9
    or count(case when source_lang = 'all' then value end) <> 1
