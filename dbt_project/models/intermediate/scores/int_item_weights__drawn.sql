-- One row per scored item and resample in which the item is drawn at least once: how often.
with

resamples as (

    {{ integer_series(var('bootstrap_resamples'), 'resample') }}

),

items as (

    select distinct item_id from {{ ref('stg_word_scores') }}

),

drawn as (

    select
        items.item_id,
        resamples.resample,
        {{ hash_unit(
            "concat(cast(items.item_id as string), ':', cast(resamples.resample as string))", 'bootstrap'
        ) }} as uniform
    from items
    cross join resamples

),

weighted as (

    select
        item_id,
        resample,
        {{ poisson_weight('uniform') }} as weight
    from drawn

),

final as (

    select
        item_id,
        resample,
        weight
    from weighted
    where weight > 0

)

select * from final
