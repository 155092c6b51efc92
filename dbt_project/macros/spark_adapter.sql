{#
  Parquet tables on Spark know no constraints, and dbt-spark would only write them down. DuckDB refuses a row that breaks
  a contract's not_null; so does this, by counting such rows once the table is written.
#}
{% macro spark__persist_constraints(relation, model) %}
    {%- if model.contract.enforced and execute -%}
        {%- set required = [] -%}
        {%- for column in model.columns.values() -%}
            {%- if column.constraints | selectattr('type', 'equalto', 'not_null') | list -%}
                {%- do required.append(adapter.quote(column.name) ~ ' is null') -%}
            {%- endif -%}
        {%- endfor -%}
        {%- if required -%}
            {%- set broken = required | join(' or ') -%}
            {%- set found = run_query('select 1 from ' ~ relation ~ ' where ' ~ broken ~ ' limit 1') -%}
            {%- if found.rows | length > 0 -%}
                {% do exceptions.raise_compiler_error(relation ~ ' has rows that break its contract: ' ~ broken) %}
            {%- endif -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}

{# Rows of unit tests hold arrays as lists, which DuckDB reads as they stand. #}
{% macro spark__safe_cast(field, type) -%}
    {%- if field is sequence and field is not string -%}
        cast(array({{ field | join(', ') }}) as {{ type }})
    {%- else -%}
        cast({{ field }} as {{ type }})
    {%- endif -%}
{%- endmacro %}
