{#
  A double rounded to some decimals: scaled, rounded half away from zero, scaled back, as DuckDB's round() does it, so
  that it is the same double on every engine. Spark's own round() takes the shortest decimal that prints the double, and
  differs from that where a half is near.
#}
{% macro rounded(expression, digits) -%}
    {{ adapter.dispatch('rounded', 'semantic_pivots')(expression, digits) }}
{%- endmacro %}

{% macro default__rounded(expression, digits) -%}
    round({{ expression }}, {{ digits }})
{%- endmacro %}

{% macro spark__rounded(expression, digits) -%}
    (round(({{ expression }}) * 1e{{ digits }}) / 1e{{ digits }})
{%- endmacro %}
