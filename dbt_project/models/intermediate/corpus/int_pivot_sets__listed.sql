-- One row per pivot set: the family of tokens that it is cut from, and how many of them it holds at most: a number, and
-- a share of the tokens that occur in the corpus, for a set that marks a large part of the vocabulary selects nothing.
{% set pivot_sets = [] %}
{% do list_pivot_sets(pivot_sets) %}

with

final as (

    {% for pivot_set, pivot_family, max_size, max_share in pivot_sets %}
        select
            '{{ pivot_set }}' as pivot_set,
            '{{ pivot_family }}' as pivot_family,
            cast({{ max_size }} as bigint) as max_size, -- NULL: the truth is no estimate, all of it belongs to its set
            cast({{ max_share }} as double) as max_share,
            '{{ pivot_set }}' = '{{ var('default_pivot_set') }}' as is_default
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

)

select * from final
