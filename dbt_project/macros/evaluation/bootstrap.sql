{#
  The Poisson bootstrap: in every resample an item counts Poisson(1) times. Weights come from a hash of the seed, the
  item and the resample, so that they are the same for every model, direction and machine: comparisons are paired.
#}

{# A Poisson(1) count from a uniform number in [0, 1), by the inverse of its distribution function. #}
{% macro poisson_weight(uniform) -%}
    {%- set term = namespace(probability=2.718281828459045 ** -1, cumulated=0.0) -%}
    case
    {%- for weight in range(10) -%}
        {%- set term.probability = term.probability / weight if weight else term.probability -%}
        {%- set term.cumulated = term.cumulated + term.probability %}
        when {{ uniform }} < {{ "%.15f" | format(term.cumulated) }} then {{ weight }}
    {%- endfor %}
        else 10
    end
{%- endmacro %}

{# Item values as integers of 1e-15, so that the many weighted sums of a bootstrap are exact, fast and order-free. #}
{% macro to_units(expression) -%}
    cast(round({{ expression }} * 1e15) as bigint)
{%- endmacro %}

{# The weighted mean of integer units, as a double; NULL when no item of the group was drawn. #}
{% macro units_mean(units, weight) -%}
    cast({{ whole_sum(units) }} as double) / nullif(cast(sum({{ weight }}) as double), 0) / 1e15
{%- endmacro %}

{# The quantile with linear interpolation between neighbours (numpy's default). NULLs are left out. #}
{% macro quantile(expression, share) -%}
    {{ adapter.dispatch('quantile', 'semantic_pivots')(expression, share) }}
{%- endmacro %}

{% macro default__quantile(expression, share) -%}
    quantile_cont({{ expression }}, {{ share }})
{%- endmacro %}

{% macro spark__quantile(expression, share) -%}
    percentile({{ expression }}, {{ share }})
{%- endmacro %}
