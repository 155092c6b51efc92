{# Rank from 1 upwards within a partition; rows of the same value share the mean of their ranks. #}
{% macro mid_rank(value, partition) -%}
    (
        rank() over (partition by {{ partition }} order by {{ value }})
        + (count(*) over (partition by {{ partition }}, {{ value }}) - 1) / 2.0e0
    )
{%- endmacro %}
