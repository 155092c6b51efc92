-- One row per pair of arms, outcome, class of words, word split and direction (and all/all): the mean difference.
-- All words: the mean over the words of a direction, then over directions. Words of a class: all directions together.
with

{% set scope = [
    'experiment', 'strategy', 'baseline', 'null_round', 'outcome', 'word_class', 'class_value', 'word_split'
] %}
{% set directions = ['source_lang', 'target_lang'] %}

words as (

    select * from {{ ref('int_outcome_words__averaged') }}

),

of_directions as (

    select
        {{ (scope + directions) | join(', ') }},
        count(*) as n_words,
        cast(1 as bigint) as n_directions,
        {{ exact_avg('value') }} as value,
        {{ exact_avg('baseline_value') }} as baseline_value,
        {{ exact_avg('delta') }} as delta
    from words
    where word_class = 'all'
    group by {{ (scope + directions) | join(', ') }}

),

over_directions as (

    select
        {{ scope | join(', ') }},
        'all' as source_lang,
        'all' as target_lang,
        cast(sum(n_words) as bigint) as n_words,
        count(*) as n_directions,
        {{ exact_avg('value') }} as value,
        {{ exact_avg('baseline_value') }} as baseline_value,
        {{ exact_avg('delta') }} as delta
    from of_directions
    group by {{ scope | join(', ') }}

),

of_classes as (

    select
        {{ scope | join(', ') }},
        'all' as source_lang,
        'all' as target_lang,
        count(*) as n_words,
        cast(1 as bigint) as n_directions, -- counts once, whatever it is made of
        {{ exact_avg('value') }} as value,
        {{ exact_avg('baseline_value') }} as baseline_value,
        {{ exact_avg('delta') }} as delta
    from words
    where word_class <> 'all'
    group by {{ scope | join(', ') }}

),

final as (

    select * from of_directions
    union all
    select * from over_directions
    union all
    select * from of_classes

)

select * from final
