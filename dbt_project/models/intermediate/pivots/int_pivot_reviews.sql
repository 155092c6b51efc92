-- One row per reviewed pair of words (either order) and token text; the pair stands in the order of its languages.

with reviews as (

    select * from {{ ref('pivot_reviews') }}

),

final as (

    select
        case when lang_a < lang_b then lang_a else lang_b end as lang_a,
        case when lang_a < lang_b then word_a else word_b end as word_a,
        case when lang_a < lang_b then lang_b else lang_a end as lang_b,
        case when lang_a < lang_b then word_b else word_a end as word_b,
        token,
        -- two rows that disagree: the candidate is not accepted until a person settles it
        max(review_status) as review_status
    from reviews
    group by 1, 2, 3, 4, 5

)

select * from final
