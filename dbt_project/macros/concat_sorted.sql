{#
  The distinct values of a group in order, joined by ", "; NULLs are left out, NULL without any. dbt.listagg has no
  distinct, and its Spark version does not order.
#}
{% macro concat_sorted(expression) -%}
    {{ adapter.dispatch('concat_sorted', 'semantic_pivots')(expression) }}
{%- endmacro %}

{% macro default__concat_sorted(expression) -%}
    nullif(array_to_string(list_sort(list(distinct {{ expression }})), ', '), '')
{%- endmacro %}

{% macro spark__concat_sorted(expression) -%}
    nullif(array_join(sort_array(collect_set({{ expression }})), ', '), '')
{%- endmacro %}
