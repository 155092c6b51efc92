-- One row per run, layer, effect and class of pairs (and all): the mean over items, each the mean over its directions.
with

compared as (

    select * from {{ ref('int_interventions__compared') }}

),

cut as (

    select
        run_id,
        item_id,
        layer,
        effect,
        change,
        changed_share,
        pair_class
    from compared
    where pair_class is not null

    union all

    select
        run_id,
        item_id,
        layer,
        effect,
        change,
        changed_share,
        'all' as pair_class
    from compared

),

items as (

    select
        run_id,
        item_id,
        layer,
        effect,
        pair_class,
        count(*) as n_directions,
        {{ exact_avg('change') }} as change,
        {{ exact_avg('changed_share') }} as changed_share
    from cut
    group by run_id, item_id, layer, effect, pair_class

),

summed as (

    select
        run_id,
        layer,
        effect,
        pair_class,
        count(*) as n_items,
        sum(n_directions) as n_words,
        {{ exact_avg('change') }} as change,
        {{ exact_sum('change * change') }} as change_squares,
        {{ exact_avg('changed_share') }} as changed_share
    from items
    group by run_id, layer, effect, pair_class

),

final as (

    select
        run_id,
        layer,
        effect,
        pair_class,
        n_items,
        n_words,
        change,
        sqrt({{ squared_error_of_mean('change_squares', 'change', 'n_items') }}) as standard_error,
        changed_share
    from summed

)

select * from final
