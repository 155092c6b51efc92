{# The text under a top-level key of a JSON column; NULL when the key is missing. #}
{% macro json_text(column, key) -%}
    {{ adapter.dispatch('json_text', 'semantic_pivots')(column, key) }}
{%- endmacro %}

{% macro default__json_text(column, key) -%}
    json_extract_string({{ column }}, '$.{{ key }}')
{%- endmacro %}

{% macro spark__json_text(column, key) -%}
    get_json_object({{ column }}, '$.{{ key }}')
{%- endmacro %}
