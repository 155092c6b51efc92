-- One row per strategy that chooses training documents, and one for the model before training.
with

strategies as (

    select * from {{ ref('int_strategies__listed') }}

),

final as (

    select
        strategy,
        share_scheme,
        ranking,
        is_baseline,
        is_default,
        is_default_baseline,
        is_exposure_control,
        variant_of,
        display_order,
        description
    from strategies

)

select * from final
