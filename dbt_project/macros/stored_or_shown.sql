{#
  How a mart is kept whose rows are those of stored intermediate tables: as a view on DuckDB, where a second copy would only double the
  file (publishing writes what it shows as a table). Spark's marts are read as the files of tables.
#}
{% macro stored_or_shown() -%}
    {{- 'table' if target is defined and target.type == 'spark' else 'view' -}}
{%- endmacro %}
