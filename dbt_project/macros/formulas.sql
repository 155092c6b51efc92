{# One macro per formula of the method; the docs blocks of the same names in models/_formulas.md explain them. #}

{# p(x|w) and b(x): a share of units; NULL when there are none. #}
{% macro unit_rate(n_docs, n_docs_total) -%}
    (cast({{ n_docs }} as double) / nullif({{ n_docs_total }}, 0))
{%- endmacro %}

{# F(x): how far both words' rates stand above the background. #}
{% macro pivot_score_paper(source_rate, target_rate, background_rate) -%}
    {%- set value -%}
        least({{ source_rate }} - {{ background_rate }}, {{ target_rate }} - {{ background_rate }})
    {%- endset -%}
    {{ rounded(value, 12) }}
{%- endmacro %}

{# G(w,x): signed root of the Poisson deviance; NULL where units share x although none was expected (broken counts). #}
{% macro signed_deviance_root(n_docs, expected_n_docs) -%}
    {%- set root -%}
        sign({{ n_docs }} - {{ expected_n_docs }}) * sqrt(greatest(
            2 * (
                case
                    when {{ n_docs }} > 0 then {{ n_docs }} * ln({{ n_docs }} / {{ expected_n_docs }})
                    else 0
                end - ({{ n_docs }} - {{ expected_n_docs }})
            ), 0
        ))
    {%- endset -%}
    case
        when {{ expected_n_docs }} > 0 then {{ rounded(root, 9) }}
        when {{ n_docs }} = 0 then 0
    end
{%- endmacro %}

{# The adjusted score of a pair: geometric mean of what both words exceed their expectation by. #}
{% macro pivot_score_adjusted(source_deviance_root, target_deviance_root) -%}
    {%- set value -%}
        sqrt(greatest({{ source_deviance_root }}, 0) * greatest({{ target_deviance_root }}, 0))
    {%- endset -%}
    {{ rounded(value, 9) }}
{%- endmacro %}

{# G weighed by how much of it is the word's own: against the mean of the token's five largest G in the language. #}
{% macro specific_root(deviance_root, top_root_mean) -%}
    {%- set value -%}
        {{ deviance_root }} * power({{ deviance_root }} / {{ top_root_mean }}, {{ var('pivot_specificity') }})
    {%- endset -%}
    {{ rounded(value, 9) }}
{%- endmacro %}

{# The specific score of a pair: power mean of exponent 1/2, between the geometric mean and the plain one. #}
{% macro pivot_score_specific(source_root, target_root) -%}
    {%- set value -%}power((sqrt({{ source_root }}) + sqrt({{ target_root }})) / 2, 2){%- endset -%}
    {{ rounded(value, 9) }}
{%- endmacro %}

{# z within strata, with a pseudo-variance of 1. #}
{% macro stratified_z(n_docs, expected_n_docs, variance) -%}
    {%- set value -%}({{ n_docs }} - {{ expected_n_docs }}) / sqrt({{ variance }} + 1){%- endset -%}
    {{ rounded(value, 9) }}
{%- endmacro %}

{# Weight of an adjacency edge: the same background subtraction as F, from both ends. #}
{% macro edge_rate_difference(n_docs_both, n_docs_a, n_docs_b, n_units) -%}
    {%- set value -%}
        least(
            {{ unit_rate(n_docs_both, n_docs_a) }} - {{ unit_rate(n_docs_b, n_units) }},
            {{ unit_rate(n_docs_both, n_docs_b) }} - {{ unit_rate(n_docs_a, n_units) }}
        )
    {%- endset -%}
    {{ rounded(value, 12) }}
{%- endmacro %}

{# Density shrunk to the language's mean by a pseudo-count of tokens. #}
{% macro smoothed_density(n_marked_tokens, n_tokens, mean_density) -%}
    {%- set value -%}
        ({{ n_marked_tokens }} + {{ var('density_pseudo_tokens') }} * {{ mean_density }})
        / ({{ n_tokens }} + {{ var('density_pseudo_tokens') }})
    {%- endset -%}
    {{ rounded(value, 12) }}
{%- endmacro %}

{# Whether an item of this split may find pivots (var pivot_items); those that only evaluate models may not. #}
{% macro may_find_pivots(word_split) -%}
    ('{{ var('pivot_items') }}' = 'all' or {{ word_split }} = 'find')
{%- endmacro %}
