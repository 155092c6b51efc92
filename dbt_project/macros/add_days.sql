{#
  A date some days after another. dbt.dateadd gives a timestamp instead of a date, and on Spark goes through seconds of the
  session's time zone to get there.
#}
{% macro add_days(date, n_days) -%}
    {{ adapter.dispatch('add_days', 'semantic_pivots')(date, n_days) }}
{%- endmacro %}

{% macro default__add_days(date, n_days) -%}
    ({{ date }} + cast({{ n_days }} as integer))
{%- endmacro %}

{% macro spark__add_days(date, n_days) -%}
    date_add({{ date }}, cast({{ n_days }} as int))
{%- endmacro %}
