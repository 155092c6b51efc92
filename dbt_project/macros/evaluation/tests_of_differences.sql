{#
  Holm's adjusted p-value (1979) among the rows of a family: the smallest times their number, the next times one less,
  and so on, never below the one before. Ties are broken by a key of the family. NULLs are no part of it.
#}
{% macro holm_p_value(p_value, factor, family, key) -%}
    case when {{ p_value }} is not null then max(least({{ p_value }} * {{ factor }}, 1.0e0)) over (
        partition by {{ family }} order by {{ p_value }} asc nulls last, {{ key }} asc
        rows between unbounded preceding and current row
    ) end
{%- endmacro %}

{# By how many Holm's procedure multiplies a p-value: tests of the family that are not smaller. NULLs come last. #}
{% macro holm_factor(p_value, family, key) -%}
    count({{ p_value }}) over (partition by {{ family }})
    - row_number() over (partition by {{ family }} order by {{ p_value }} asc nulls last, {{ key }} asc) + 1
{%- endmacro %}

{# What a difference allows one to say; docs block verdict. #}
{% macro verdict_of_test(delta, is_higher_better, p_value, p_value_holm, n_seeds) -%}
    case
        when {{ n_seeds }} < 2 then 'not_tested' -- one training: its words cannot say what another would bring
        when {{ p_value }} is null or {{ p_value }} >= 0.05 or {{ delta }} = 0 then 'no_clear_difference'
        when ({{ delta }} > 0) = {{ is_higher_better }}
            then case when {{ p_value_holm }} < 0.05 then 'better' else 'leaning_better' end
        when {{ p_value_holm }} < 0.05 then 'worse'
        else 'leaning_worse'
    end
{%- endmacro %}
