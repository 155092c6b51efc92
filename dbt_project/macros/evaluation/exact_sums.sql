{#
  Sums of doubles depend on the order of the rows, and with several threads the order changes from build to build.
  These sums run over decimals, which are exact, so the same rows always give the same double.
  Values must be finite and below 1e19; anything under 1e-18 is lost.
#}
{% macro exact_sum(expression) -%}
    {{ adapter.dispatch('exact_sum', 'semantic_pivots')(expression) }}
{%- endmacro %}

{% macro default__exact_sum(expression) -%}
    cast(sum(cast({{ expression }} as decimal(38, 18))) as double)
{%- endmacro %}

{#
  The same to the last bit on Spark, whose cast takes the shortest decimal that prints the double instead of the double
  itself: whole units of 1e-18 in two parts that fit a bigint, the upper one in multiples of 2^62, and the sum of both
  cut into its whole and its fraction, as DuckDB turns a decimal into a double.
#}
{% macro spark__exact_sum(expression) -%}
    {%- set units = 'round((' ~ expression ~ ') * 1e18)' -%}
    {%- set upper = 'cast(' ~ units ~ ' / 4611686018427387904e0 as bigint)' -%}
    {%- set lower = 'cast(' ~ units ~ ' - ' ~ upper ~ ' * 4611686018427387904e0 as bigint)' -%}
    {%- set total -%}
        (
            sum(cast({{ upper }} as decimal(20, 0))) * 4611686018427387904
            + sum(cast({{ lower }} as decimal(20, 0)))
        )
    {%- endset -%}
    (
        cast({{ total }} div 1000000000000000000 as double)
        + cast({{ total }} % 1000000000000000000 as double) / 1e18
    )
{%- endmacro %}

{# A sum of whole numbers that may pass 2^63: Spark's sums of bigints wrap around there, DuckDB's don't. #}
{% macro whole_sum(expression) -%}
    {{ adapter.dispatch('whole_sum', 'semantic_pivots')(expression) }}
{%- endmacro %}

{% macro default__whole_sum(expression) -%}
    sum({{ expression }})
{%- endmacro %}

{% macro spark__whole_sum(expression) -%}
    sum(cast({{ expression }} as decimal(28, 0)))
{%- endmacro %}

{% macro exact_avg(expression) -%}
    {{ exact_sum(expression) }} / nullif(count({{ expression }}), 0)
{%- endmacro %}

{# False for NaN and for both infinities (NaN compares as the largest value in DuckDB and in Spark), NULL for NULL. #}
{% macro is_finite(expression) -%}
    abs({{ expression }}) < 1e300
{%- endmacro %}
