-- One row per outcome of a scored word.
with

outcomes as (

    select * from {{ ref('int_outcomes__listed') }}

),

final as (

    select
        outcome,
        unit,
        is_higher_better,
        smallest_effect,
        outcome = '{{ var("primary_outcome") }}' as is_default_primary,
        display_order,
        description
    from outcomes

)

select * from final
