{# The unordered pairs of languages (lang_a < lang_b) of each item of the list, from its rows (relation `items`). #}
{% macro item_pairs(items) -%}
select
    items_a.item_id,
    items_a.word_split,
    items_a.lang as lang_a,
    items_b.lang as lang_b,
    items_a.word_id as word_id_a,
    items_b.word_id as word_id_b
from {{ items }} as items_a
inner join {{ items }} as items_b
    on
        items_a.item_id = items_b.item_id
        and items_a.lang < items_b.lang
{%- endmacro %}
