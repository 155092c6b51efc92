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

{#
  One row per token and per pair of neighbouring tokens of an array of token ids, in the select list: the bucket that it is
  hashed into, below var dsir_buckets. Buckets are shared, as hashed features are; the factors only have to be primes that
  keep neighbouring ids apart.
#}
{% macro unnest_features(column, bucket) -%}
    {{ adapter.dispatch('unnest_features', 'semantic_pivots')(column, bucket) }}
{%- endmacro %}

{% macro default__unnest_features(column, bucket) -%}
    unnest(list_concat(
        list_transform({{ column }}, lambda token: token * 7919::bigint % {{ var('dsir_buckets') }}),
        list_transform(
            list_zip({{ column }}[:-2], {{ column }}[2:]),
            lambda pair: (pair[1] * 1000003::bigint + pair[2] * 31::bigint + 1) % {{ var('dsir_buckets') }}
        )
    )) as {{ bucket }}
{%- endmacro %}

{% macro spark__unnest_features(column, bucket) -%}
    explode(concat(
        transform({{ column }}, token -> cast(token as bigint) * 7919 % {{ var('dsir_buckets') }}),
        transform(
            slice({{ column }}, 2, greatest(size({{ column }}) - 1, 0)),
            (token, place) -> (cast({{ column }}[place] as bigint) * 1000003 + cast(token as bigint) * 31 + 1)
                % {{ var('dsir_buckets') }}
        )
    )) as {{ bucket }}
{%- endmacro %}
