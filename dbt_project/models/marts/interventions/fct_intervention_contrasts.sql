-- One row per run, layer and effect: does it hurt pairs that never share a unit more than pairs that do?
with

apart as (

    select * from {{ ref('int_interventions__averaged') }}
    where pair_class = 'apart'

),

cooccurring as (

    select * from {{ ref('int_interventions__averaged') }}
    where pair_class = 'cooccurring'

),

contrasted as (

    select
        apart.run_id,
        apart.layer,
        apart.effect,
        apart.n_items as n_items_apart,
        cooccurring.n_items as n_items_cooccurring,
        apart.change as change_apart,
        cooccurring.change as change_cooccurring,
        apart.change - cooccurring.change as interaction,
        sqrt(power(apart.standard_error, 2) + power(cooccurring.standard_error, 2)) as standard_error
    from apart
    inner join cooccurring
        on
            apart.run_id = cooccurring.run_id
            and apart.layer = cooccurring.layer
            and apart.effect = cooccurring.effect

),

final as (

    select
        run_id,
        layer,
        effect,
        n_items_apart,
        n_items_cooccurring,
        change_apart,
        change_cooccurring,
        interaction,
        -- of the smaller class: cautious, where Welch's degrees would be more
        interaction
        - {{ t_quantile_975('(least(n_items_apart, n_items_cooccurring) - 1)') }} * standard_error as ci_low,
        interaction
        + {{ t_quantile_975('(least(n_items_apart, n_items_cooccurring) - 1)') }} * standard_error as ci_high
    from contrasted

)

select * from final
