{# Whether a row sums up others: one of the columns that name it is `all`. #}
{% macro is_summary(columns) -%}
    (
    {%- for column in columns %}
        {{- ' or ' if not loop.first }}{{ column }} = 'all'
    {%- endfor -%}
    )
{%- endmacro %}
