-- One row per strategy that chooses training documents: how languages share its tokens, and what it is compared as.
{% set strategies = [] %}
{% do list_strategies(strategies) %}
{% set own_strategies = var('own_strategies') %}

with

pivot_sets as (

    select * from {{ ref('int_pivot_sets__listed') }}
    where pivot_family <> 'planted' -- strategy planted_truth reads that one

),

named as (

    {% for strategy, share_scheme, ranking, is_baseline, variant_of, description in strategies %}
        select
            '{{ strategy }}' as strategy,
            cast({{ "'" ~ share_scheme ~ "'" if share_scheme else 'null' }} as string) as share_scheme,
            cast({{ "'" ~ ranking ~ "'" if ranking else 'null' }} as string) as ranking,
            {{ is_baseline | lower }} as is_baseline,
            cast({{ "'" ~ variant_of ~ "'" if variant_of else 'null' }} as string) as variant_of,
            cast({{ loop.index }} as bigint) as display_order,
            '{{ description }}' as description
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

-- pivot_aware with a set that is named
of_sets as (

    select
        concat('pivot_aware_', pivot_set) as strategy,
        'multilingual' as share_scheme,
        pivot_set as ranking,
        false as is_baseline,
        'pivot_aware' as variant_of,
        {{ strategies | length }} + cast(row_number() over (order by pivot_set) as bigint) as display_order,
        concat('Documents densest in tokens of set ', pivot_set, ' first; multilingual shares.') as description
    from pivot_sets

),

{% if own_strategies %}
    own as (

        {% for strategy in own_strategies %}
            select
                '{{ strategy }}' as strategy,
                'multilingual' as share_scheme,
                cast(null as string) as ranking,
                false as is_baseline,
                cast(null as string) as variant_of,
                cast({{ 1000 + loop.index }} as bigint) as display_order,
                'Own strategy: documents by int_{{ strategy }}_documents__keyed; multilingual shares.' as description
            {% if not loop.last %}union all{% endif %}
        {% endfor %}

    ),

{% endif %}
listed as (

    select * from named
    {% if own_strategies %}
        union all
        select * from own
    {% endif %}
    union all
    select * from of_sets

),

final as (

    select
        strategy,
        share_scheme,
        ranking,
        is_baseline,
        strategy = 'pivot_aware' as is_default,
        strategy = 'random_multilingual' as is_default_baseline,
        strategy = 'word_density' as is_exposure_control,
        variant_of,
        display_order,
        description
    from listed

)

select * from final
