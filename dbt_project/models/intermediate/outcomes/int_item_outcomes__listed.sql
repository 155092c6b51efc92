-- One row per score run, item, direction and outcome that the item has.
with

items as (

    select * from {{ ref('int_items__scored') }}

),

listed as (

    {% for outcome, value in [
        ('score', 'score'),
        ('normalised_log_p', 'normalised_log_p'),
        ('margin', 'margin'),
        ('first_rank', 'cast(case when right_rank = 1 then 1 when right_rank > 1 then 0 end as double)'),
        ('bits_per_byte', 'bits_per_byte'),
    ] %}
        select
            run_id,
            item_id,
            source_lang,
            target_lang,
            word_split,
            '{{ outcome }}' as outcome,
            {{ value }} as value
        from items
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

final as (

    select
        run_id,
        item_id,
        source_lang,
        target_lang,
        word_split,
        outcome,
        value
    from listed
    where value is not null

)

select * from final
