{# Seconds from one timestamp to another, with its microseconds. #}
{% macro seconds_between(start, finish) -%}
    {{ adapter.dispatch('seconds_between', 'semantic_pivots')(start, finish) }}
{%- endmacro %}

{% macro default__seconds_between(start, finish) -%}
    (epoch_us({{ finish }}) - epoch_us({{ start }})) / 1.0e6
{%- endmacro %}

{% macro spark__seconds_between(start, finish) -%}
    (unix_micros({{ finish }}) - unix_micros({{ start }})) / 1.0e6
{%- endmacro %}
