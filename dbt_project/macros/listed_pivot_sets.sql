{#
  The pivot sets, (name, family of tokens that it is cut from, most tokens, largest share of the tokens that occur), in the order in
  which they are listed: who lays out a column or a branch for each needs their names before any row is read.
#}
{% macro listed_pivot_sets() -%}
    {%- set share = var('pivot_set_max_share') -%}
    {{ return([
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
    ]) }}
{%- endmacro %}

{# Their names. #}
{% macro pivot_set_names() -%}
    {{ return(listed_pivot_sets() | map(attribute=0) | list) }}
{%- endmacro %}

{#
  How many bits a count takes where three of them share an integer of 63 bits: a document of 2^21 tokens or more is counted without
  sharing (int_document_pivots__counted).
#}
{% macro packed_count_bits() -%}
    {{ return(21) }}
{%- endmacro %}
