-- One row per word split that scores and comparisons are cut by: the split of an item, or all items together.
with

final as (

    {% for word_split in ['find', 'judge', 'all'] %}
        select '{{ word_split }}' as word_split
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

)

select * from final
