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

{#
  A quantile of Student's t for any degrees of freedom from 1 on, whole or not: the normal quantile times the
  exponential of a polynomial in 1 / degrees, fitted by least squares (relative error below 1e-6). Shares: 0.8, 0.95 and
  0.975.
#}
{% macro t_quantile(degrees, share) -%}
    {%- set fitted = {
        '0.8': [
            0.841621233573, 0.4270754270, 0.0844208052, -0.0307899665, -0.0081457667,
            0.0591436315, -0.0686679357, 0.0367794755, -0.0079322540
        ],
        '0.95': [
            1.644853626951, 0.9263771139, 0.4345703299, 0.0608028185, -0.1023364371,
            0.0397251195, -0.0350179574, 0.0296149531, -0.0086573942
        ],
        '0.975': [
            1.959963984540, 1.2103457920, 0.7081909781, 0.1456825113, -0.2017668896,
            -0.1534938549, 0.2721296244, -0.1364676281, 0.0245437191
        ]
    } -%}
    {%- set coefficients = fitted[share | string] -%}
    {%- set power = namespace(series='') -%}
    {%- for coefficient in coefficients[1:] | reverse -%}
        {%- set higher = ' + ' ~ power.series if power.series else '' -%}
        {%- set power.series = '(' ~ coefficient ~ 'e0' ~ higher ~ ') / (' ~ degrees ~ ')' -%}
    {%- endfor -%}
    ({{ coefficients[0] }}e0 * exp({{ power.series }}))
{%- endmacro %}

{#
  Two-sided p-value of Student's t for any degrees of freedom from 1 on. With z = sqrt(degrees * ln(1 + t^2 / degrees))
  the density is nearly normal in z, so that twelve Gauss-Legendre nodes below and above the statistic integrate it
  (relative error below 2e-6 down to p = 1e-6). NULL where the statistic is.
#}
{% macro t_p_value(statistic, degrees) -%}
    {%- set nodes = [
        ('0.009219682876640', '0.023587668193256'), ('0.047941371814763', '0.053469662997660'),
        ('0.115048662902848', '0.080039164271673'), ('0.206341022856691', '0.101583713361533'),
        ('0.316084250500910', '0.116746268269177'), ('0.437383295744266', '0.124573522906701'),
        ('0.562616704255734', '0.124573522906701'), ('0.683915749499090', '0.116746268269177'),
        ('0.793658977143309', '0.101583713361533'), ('0.884951337097152', '0.080039164271673'),
        ('0.952058628185237', '0.053469662997660'), ('0.990780317123360', '0.023587668193256')
    ] -%}
    {%- set reach = 6 -%}
    {%- set start -%}
        least(sqrt({{ degrees }} * ln(1 + power({{ statistic }}, 2) / {{ degrees }})), 20.0e0)
    {%- endset -%}
    {%- set below = [] -%}
    {%- set above = [] -%}
    {%- for node, weight in nodes -%}
        {%- do below.append(weight ~ 'e0 * ' ~ t_density_of_z(start ~ ' * ' ~ node ~ 'e0', degrees)) -%}
        {%- set beyond = '(' ~ start ~ ' + ' ~ (reach * (node | float)) ~ 'e0)' -%}
        {%- do above.append(weight ~ 'e0 * ' ~ t_density_of_z(beyond, degrees)) -%}
    {%- endfor -%}
    (
        {{ reach }} * ({{ above | join(' + ') }})
        / ({{ reach }} * ({{ above | join(' + ') }}) + {{ start }} * ({{ below | join(' + ') }}))
    )
{%- endmacro %}

{# The density of t in z, up to a constant; at z = 0 it is flat, and 0 / 0 in this form. #}
{% macro t_density_of_z(z, degrees) -%}
    {%- set safe = 'greatest(' ~ z ~ ', 1e-5 * sqrt(' ~ degrees ~ '))' -%}
    exp(-power({{ safe }}, 2) * ({{ degrees }} - 1) / (2.0e0 * {{ degrees }}))
    * {{ safe }} / sqrt(exp(power({{ safe }}, 2) / {{ degrees }}) - 1)
{%- endmacro %}

{# The difference that a test at 5 % finds four times of five, from its standard error: minimum detectable effect. #}
{% macro detectable_effect(standard_error, degrees) -%}
    ({{ t_quantile(degrees, 0.975) }} + {{ t_quantile(degrees, 0.8) }}) * {{ standard_error }}
{%- endmacro %}
