-- One row per pair of arms, outcome, word split, scope and scored word (item and direction): its mean over seeds.
-- A scope is a direction, or a class of words over all directions; the mean over directions is made of the former.
with

deltas as (

    select * from {{ ref('int_outcome_deltas__itemised') }}

),

splits as (

    select * from {{ ref('int_word_splits__listed') }}

),

classes as (

    select * from {{ ref('int_items__classed') }}

),

words as (

    select
        experiment,
        strategy,
        baseline,
        null_round,
        outcome,
        item_id,
        source_lang,
        target_lang,
        word_split,
        max(corpus) as corpus,
        count(*) as n_seeds,
        {{ exact_avg('value') }} as value,
        {{ exact_avg('baseline_value') }} as baseline_value,
        {{ exact_avg('delta') }} as delta
    from deltas
    group by
        experiment,
        strategy,
        baseline,
        null_round,
        outcome,
        item_id,
        source_lang,
        target_lang,
        word_split

),

scoped as (

    select
        *,
        cast('all' as string) as word_class,
        cast('all' as string) as class_value
    from words

    union all

    select
        words.*,
        classes.word_class,
        classes.class_value
    from words
    inner join classes
        on
            words.corpus = classes.corpus
            and words.item_id = classes.item_id
            and words.source_lang = classes.source_lang
            and words.target_lang = classes.target_lang
    where words.null_round = 0

),

final as (

    select
        scoped.experiment,
        scoped.strategy,
        scoped.baseline,
        scoped.null_round,
        scoped.outcome,
        scoped.word_class,
        scoped.class_value,
        splits.word_split,
        scoped.item_id,
        scoped.source_lang,
        scoped.target_lang,
        scoped.n_seeds,
        scoped.value,
        scoped.baseline_value,
        scoped.delta
    from scoped
    inner join splits on splits.word_split = 'all' or scoped.word_split = splits.word_split

)

select * from final
