-- One row per pair of arms, outcome, class of words, word split and direction (and all/all): the mean difference.
-- All words: the mean over the words of a direction, then over directions. Words of a class: all directions together.
with

words as (

    select * from {{ ref('int_outcome_words__averaged') }}

),

of_directions as (

    select
        experiment,
        strategy,
        baseline,
        null_round,
        outcome,
        word_class,
        class_value,
        word_split,
        source_lang,
        target_lang,
        count(*) as n_words,
        {{ exact_avg('value') }} as value,
        {{ exact_avg('baseline_value') }} as baseline_value,
        {{ exact_avg('delta') }} as delta
    from words
    where word_class = 'all'
    group by
        experiment,
        strategy,
        baseline,
        null_round,
        outcome,
        word_class,
        class_value,
        word_split,
        source_lang,
        target_lang

),

over_directions as (

    select
        experiment,
        strategy,
        baseline,
        null_round,
        outcome,
        word_class,
        class_value,
        word_split,
        cast(sum(n_words) as bigint) as n_words,
        count(*) as n_directions,
        {{ exact_avg('value') }} as value,
        {{ exact_avg('baseline_value') }} as baseline_value,
        {{ exact_avg('delta') }} as delta
    from of_directions
    group by experiment, strategy, baseline, null_round, outcome, word_class, class_value, word_split

),

of_classes as (

    select
        experiment,
        strategy,
        baseline,
        null_round,
        outcome,
        word_class,
        class_value,
        word_split,
        count(*) as n_words,
        {{ exact_avg('value') }} as value,
        {{ exact_avg('baseline_value') }} as baseline_value,
        {{ exact_avg('delta') }} as delta
    from words
    where word_class <> 'all'
    group by experiment, strategy, baseline, null_round, outcome, word_class, class_value, word_split

),

final as (

    select
        experiment,
        strategy,
        baseline,
        null_round,
        outcome,
        word_class,
        class_value,
        word_split,
        source_lang,
        target_lang,
        n_words,
        cast(1 as bigint) as n_directions,
        value,
        baseline_value,
        delta
    from of_directions

    union all

    select
        experiment,
        strategy,
        baseline,
        null_round,
        outcome,
        word_class,
        class_value,
        word_split,
        'all' as source_lang,
        'all' as target_lang,
        n_words,
        n_directions,
        value,
        baseline_value,
        delta
    from over_directions

    union all

    select
        experiment,
        strategy,
        baseline,
        null_round,
        outcome,
        word_class,
        class_value,
        word_split,
        'all' as source_lang,
        'all' as target_lang,
        n_words,
        cast(1 as bigint) as n_directions, -- counts once, whatever it is made of
        value,
        baseline_value,
        delta
    from of_classes

)

select * from final
