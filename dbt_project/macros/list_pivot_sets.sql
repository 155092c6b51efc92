{#
  Appends the pivot sets to a list, (name, family of tokens that it is cut from, most tokens, largest share of the tokens that occur):
  who lays out a column or a branch for each needs them before any row is read.
#}
{% macro list_pivot_sets(into) -%}
    {%- set share = var('pivot_set_max_share') -%}
    {%- do into.extend([
        ('adjacency', 'adjacency', var('adjacency_size'), share),
        ('adjacency_small', 'adjacency', var('adjacency_small_size'), share),
        ('bridge', 'bridge', var('bridge_size'), share),
        ('bridge_small', 'bridge', var('bridge_small_size'), share),
        ('maxz', 'maxz', var('maxz_size'), var('maxz_max_share')),
        ('maxz_small', 'maxz', var('maxz_small_size'), var('maxz_max_share')),
        ('pairs', 'pairs', var('pairs_size'), share),
        ('pairs_top3', 'pairs', var('pairs_size'), share),
        ('pairs_threshold', 'pairs', var('pairs_size'), share),
        ('pairs_paper', 'pairs', var('pairs_size'), share),
        ('planted_truth', 'planted', 'null', 'null'),
    ]) -%}
{%- endmacro %}

{# Appends the names of the pivot sets to a list. #}
{% macro list_pivot_set_names(into) -%}
    {%- set pivot_sets = [] -%}
    {%- do list_pivot_sets(pivot_sets) -%}
    {%- do into.extend(pivot_sets | map(attribute=0) | list) -%}
{%- endmacro %}

{# Appends the names of the rankings of documents to a list. #}
{% macro list_rankings(into) -%}
    {%- do list_pivot_set_names(into) -%}
    {%- do into.extend(['bridging', 'word_density']) -%}
{%- endmacro %}

{#
  How many bits a count takes where three of them share an integer of 63 bits: a document of 2^21 tokens or more is counted without
  sharing (int_document_pivots__counted).
#}
{% macro packed_count_bits() -%}
    21
{%- endmacro %}

{# One of three counts below `field` that share an integer: the first, second or third (place 0, 1, 2). #}
{% macro packed_count(packed, place, field) -%}
    {%- if place == 0 -%}
        cast({{ packed }} % {{ field }} as integer)
    {%- elif place == 1 -%}
        cast(({{ packed }} % {{ field ** 2 }} - {{ packed }} % {{ field }}) / {{ field }} as integer)
    {%- else -%}
        cast(({{ packed }} - {{ packed }} % {{ field ** 2 }}) / {{ field ** 2 }} as integer)
    {%- endif -%}
{%- endmacro %}
