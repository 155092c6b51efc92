{# One row per element of an array column, in the select list. #}
{% macro unnest_column(column) -%}
    {{ adapter.dispatch('unnest_column', 'semantic_pivots')(column) }}
{%- endmacro %}

{% macro default__unnest_column(column) -%}
    unnest({{ column }})
{%- endmacro %}

{% macro spark__unnest_column(column) -%}
    explode({{ column }})
{%- endmacro %}

{# One row per element of an array column, with its place from 0, in the select list: two columns of the given names. #}
{% macro unnest_with_position(column, position, element) -%}
    {{ adapter.dispatch('unnest_with_position', 'semantic_pivots')(column, position, element) }}
{%- endmacro %}

{% macro default__unnest_with_position(column, position, element) -%}
    generate_subscripts({{ column }}, 1) - 1 as {{ position }}, unnest({{ column }}) as {{ element }}
{%- endmacro %}

{% macro spark__unnest_with_position(column, position, element) -%}
    posexplode({{ column }}) as ({{ position }}, {{ element }})
{%- endmacro %}

{# Number of elements of an array column. #}
{% macro n_elements(column) -%}
    {{ adapter.dispatch('n_elements', 'semantic_pivots')(column) }}
{%- endmacro %}

{% macro default__n_elements(column) -%}
    len({{ column }})
{%- endmacro %}

{% macro spark__n_elements(column) -%}
    size({{ column }})
{%- endmacro %}

{# First element of an array column. #}
{% macro first_element(column) -%}
    {{ adapter.dispatch('first_element', 'semantic_pivots')(column) }}
{%- endmacro %}

{% macro default__first_element(column) -%}
    {{ column }}[1]
{%- endmacro %}

{% macro spark__first_element(column) -%}
    element_at({{ column }}, 1)
{%- endmacro %}

{# One row per language of a code such as en or en-fr, in the select list. #}
{% macro split_languages(column) -%}
    {{ adapter.dispatch('split_languages', 'semantic_pivots')(column) }}
{%- endmacro %}

{% macro default__split_languages(column) -%}
    unnest(string_split({{ column }}, '-'))
{%- endmacro %}

{% macro spark__split_languages(column) -%}
    explode(split({{ column }}, '-'))
{%- endmacro %}
