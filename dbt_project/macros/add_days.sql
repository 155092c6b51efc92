{# A date some days after another. #}
{% macro add_days(date, n_days) -%}
    {{ adapter.dispatch('add_days', 'semantic_pivots')(date, n_days) }}
{%- endmacro %}

{% macro default__add_days(date, n_days) -%}
    ({{ date }} + cast({{ n_days }} as integer))
{%- endmacro %}

{% macro spark__add_days(date, n_days) -%}
    date_add({{ date }}, cast({{ n_days }} as int))
{%- endmacro %}
