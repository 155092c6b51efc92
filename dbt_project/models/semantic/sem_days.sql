-- One row per day from 2025 to 2044: the calendar that metrics are asked along.
with

numbers as (

    {{ integer_series(7305, 'day_number') }}

),

final as (

    select {{ add_days("cast('2024-12-31' as date)", 'day_number') }} as date_day
    from numbers

)

select * from final
