{# The squared standard error of a mean from the sum of squares, s^2 / n; NULL with fewer than two values. #}
{% macro squared_error_of_mean(sum_of_squares, mean, n) -%}
    greatest({{ sum_of_squares }} - {{ n }} * {{ mean }} * {{ mean }}, 0) / nullif({{ n }} - 1, 0) / nullif({{ n }}, 0)
{%- endmacro %}
