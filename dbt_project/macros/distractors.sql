{# Name of the rule by which int_distractors__drawn draws: its sizes are part of it, so that who reads it knows them. #}
{% macro distractor_rule() -%}
    nearest {{ var('n_distractors') }} by frequency and length
{%- endmacro %}

{# The largest n with 2^n <= a positive integer: whole numbers only, since a logarithm of 8 may come out below 3. #}
{% macro power_of_two(expression) -%}
    case
    {%- for power in range(40, 0, -1) %}
        when {{ expression }} >= {{ 2 ** power }} then {{ power }}
    {%- endfor %}
        else 0
    end
{%- endmacro %}
