-- One row per reviewed pair of words (either order) and token text; the pair stands in the order of its languages.
-- A person's file decides before a person's answer at the terminal, and that before any model's; `unclear` decides
-- nothing.
with

reviews as (

    select
        case when lang_a < lang_b then lang_a else lang_b end as lang_a,
        case when lang_a < lang_b then word_a else word_b end as word_a,
        case when lang_a < lang_b then lang_b else lang_a end as lang_b,
        case when lang_a < lang_b then word_b else word_a end as word_b,
        token,
        review_status,
        1 as precedence
    from {{ ref('pivot_reviews') }}

    union all

    select
        lang_a,
        word_a,
        lang_b,
        word_b,
        token,
        review_status,
        case when reviewer_kind = 'manual' then 2 else 3 end as precedence
    from {{ ref('stg_pivot_reviews') }}
    where review_status in ('accepted', 'rejected')

),

ranked as (

    select
        *,
        min(precedence) over (partition by lang_a, word_a, lang_b, word_b, token) as best_precedence
    from reviews

),

final as (

    select
        lang_a,
        word_a,
        lang_b,
        word_b,
        token,
        -- equals that disagree: the candidate is not accepted until somebody with more say settles it
        max(review_status) as review_status
    from ranked
    where precedence = best_precedence
    group by lang_a, word_a, lang_b, word_b, token

)

select * from final
