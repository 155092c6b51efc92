{#
  Sums of doubles depend on the order of the rows, and with several threads the order changes from build to build.
  These sums run over decimals, which are exact, so the same rows always give the same double.
  Values must be finite and below 1e19; anything under 1e-18 is lost.
#}
{% macro exact_sum(expression) -%}
    cast(sum(cast({{ expression }} as decimal(38, 18))) as double)
{%- endmacro %}

{% macro exact_avg(expression) -%}
    {{ exact_sum(expression) }} / nullif(count({{ expression }}), 0)
{%- endmacro %}

{# False for NaN and for both infinities (NaN compares as the largest value in DuckDB and in Spark), NULL for NULL. #}
{% macro is_finite(expression) -%}
    abs({{ expression }}) < 1e300
{%- endmacro %}
