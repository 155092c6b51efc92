-- One row per pivot set: the family of tokens that it is cut from, and how many of them it holds at most.
{% set pivot_sets = [
    ('adjacency', 'adjacency', var('adjacency_size')),
    ('adjacency_small', 'adjacency', var('adjacency_small_size')),
    ('bridge', 'bridge', var('bridge_size')),
    ('bridge_small', 'bridge', var('bridge_small_size')),
    ('pairs', 'pairs', var('pairs_size')),
    ('pairs_top3', 'pairs', var('pairs_size')),
    ('pairs_threshold', 'pairs', var('pairs_size')),
    ('pairs_paper', 'pairs', var('pairs_size')),
    ('planted_truth', 'planted', 'null'),
] %}

with

final as (

    {% for pivot_set, pivot_family, max_size in pivot_sets %}
        select
            '{{ pivot_set }}' as pivot_set,
            '{{ pivot_family }}' as pivot_family,
            cast({{ max_size }} as bigint) as max_size, -- NULL: the truth is no estimate, all of it belongs to its set
            '{{ pivot_set }}' = '{{ var('default_pivot_set') }}' as is_default
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

)

select * from final
