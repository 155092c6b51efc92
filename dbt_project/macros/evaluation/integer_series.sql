{# A relation with the integers 1 to `last` in one column. #}
{% macro integer_series(last, column) -%}
    {{ adapter.dispatch('integer_series', 'semantic_pivots')(last, column) }}
{%- endmacro %}

{% macro default__integer_series(last, column) -%}
    select unnest(range(1, {{ last }} + 1)) as {{ column }}
{%- endmacro %}

{% macro spark__integer_series(last, column) -%}
    select explode(sequence(1, {{ last }})) as {{ column }}
{%- endmacro %}
