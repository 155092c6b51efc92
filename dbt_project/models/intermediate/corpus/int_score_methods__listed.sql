-- One row per score method of pivot candidates: which one is the default, and in which order people compare them.
{% set default_method = var('pivot_set_score_method') %}
{% set score_methods = [
    ('specific', 'Counts are held against units of the same language and length; a token of many words counts less.'),
    ('adjusted', 'Counts are held against units of the same language and length.'),
    ('paper', 'F of the paper: counts are held against one background for the whole corpus.'),
] %}

with

methods as (

    {% for score_method, description in score_methods %}
        select
            '{{ score_method }}' as score_method,
            '{{ score_method }}' = '{{ default_method }}' as is_default,
            '{{ score_method }}' = 'paper' as is_paper,
            '{{ description }}' as description
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

final as (

    select
        score_method,
        is_default,
        cast(row_number() over (
            order by
                case when is_default then 0 else 1 end,
                case when is_paper then 1 else 0 end,
                score_method
        ) as bigint) as display_order,
        description
    from methods

)

select * from final
