-- One row per experiment, strategy, baseline, item, word class and value: sums over the directions of that class.
with

deltas as (

    select * from {{ ref('int_deltas__itemised') }}

),

classes as (

    select * from {{ ref('int_items__classed') }}

),

final as (

    select
        deltas.experiment,
        deltas.strategy,
        deltas.baseline,
        deltas.item_id,
        deltas.word_split,
        classes.word_class,
        classes.class_value,
        count(*) as n_directions,
        max(deltas.n_seeds) as n_seeds,
        cast(sum({{ to_units('deltas.score') }}) as bigint) as score_units,
        cast(sum({{ to_units('deltas.baseline_score') }}) as bigint) as baseline_units,
        cast(sum({{ to_units('deltas.score_delta') }}) as bigint) as delta_units
    from deltas
    inner join classes
        on
            deltas.corpus = classes.corpus
            and deltas.item_id = classes.item_id
            and deltas.source_lang = classes.source_lang
            and deltas.target_lang = classes.target_lang
    group by
        deltas.experiment,
        deltas.strategy,
        deltas.baseline,
        deltas.item_id,
        deltas.word_split,
        classes.word_class,
        classes.class_value

)

select * from final
