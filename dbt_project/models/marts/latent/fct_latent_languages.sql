-- One row per trace run, direction (and all/all), language, its role and layer: how much of the item's word in that
-- language the layer shows.
with

languages as (

    select * from {{ ref('int_layer_words__averaged') }}

)

-- the contract names the columns
select * from languages -- noqa: AM04
