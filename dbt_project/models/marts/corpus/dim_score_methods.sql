-- One row per score method of pivot candidates.
with

score_methods as (

    select * from {{ ref('int_score_methods__listed') }}

),

final as (

    select
        score_method,
        is_default,
        display_order,
        description
    from score_methods

)

select * from final
