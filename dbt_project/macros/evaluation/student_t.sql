{#
  The 0.975 quantile of Student's t: printed values up to 10 degrees of freedom, then the expansion of Fisher and
  Cornish (1960) around the normal quantile, which is exact to 5e-6 from there on. NULL below one degree of freedom.
#}
{% macro t_quantile_975(degrees) -%}
    {%- set printed = [
        12.706204736175, 4.302652729749, 3.182446305284, 2.776445105198, 2.570581835636,
        2.446911851145, 2.364624251593, 2.306004135204, 2.262157162798, 2.228138851986
    ] -%}
    case
        when {{ degrees }} < 1 then null
    {%- for quantile in printed %}
        when {{ degrees }} = {{ loop.index }} then {{ quantile }}
    {%- endfor %}
        else
            1.959963984540
            + 2.372271230299 / {{ degrees }}
            + 2.822498615740 / power({{ degrees }}, 2)
            + 2.555849679508 / power({{ degrees }}, 3)
            + 1.589534053394 / power({{ degrees }}, 4)
    end
{%- endmacro %}
