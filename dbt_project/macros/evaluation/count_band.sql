{# The decade of a document count, as a label that sorts: 0, 1-9, 10-99, 100-999, 1000+. #}
{% macro count_band(n_docs) -%}
    case
        when {{ n_docs }} = 0 then '0'
        when {{ n_docs }} < 10 then '1-9'
        when {{ n_docs }} < 100 then '10-99'
        when {{ n_docs }} < 1000 then '100-999'
        else '1000+'
    end
{%- endmacro %}
