{#
  A double in [0, 1) from the content of `expression`: md5('<salt>:<value>'), first 13 hex digits over 16^13 = 2^52.
  The same on every engine and for every order of rows. Different uses take different salts, so that they are
  independent of each other. In Python: int(md5(f"{salt}:{value}".encode()).hexdigest()[:13], 16) / 2**52
#}
{% macro hash_unit(expression, salt='') -%}
    {{ adapter.dispatch('hash_unit', 'semantic_pivots')(expression, salt) }}
{%- endmacro %}

{% macro default__hash_unit(expression, salt) -%}
    (cast(concat('0x', substr(md5(concat('{{ salt }}:', cast({{ expression }} as varchar))), 1, 13)) as bigint) / 4503599627370496.0e0)
{%- endmacro %}

{% macro spark__hash_unit(expression, salt) -%}
    (cast(conv(substr(md5(concat('{{ salt }}:', cast({{ expression }} as string))), 1, 13), 16, 10) as bigint) / 4503599627370496.0e0)
{%- endmacro %}
