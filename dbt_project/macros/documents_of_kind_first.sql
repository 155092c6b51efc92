{#
  A strategy's whole model: one row per corpus and eligible document. Documents of the kind come first, then those in one
  language, then others, each in random order; the salt of the order is the kind.
#}
{% macro documents_of_kind_first(kind) -%}
with

document_kinds as (

    select * from {{ ref('int_document_kinds__classified') }}
    where is_eligible

),

final as (

    select
        corpus,
        doc_id,
        case document_kind
            when '{{ kind }}' then 0
            when 'monolingual' then 1
            else 2
        end + {{ hash_unit('doc_id', kind ~ ':' ~ var('selection_seed')) }} as sort_key
    from document_kinds

)

select * from final
{%- endmacro %}
