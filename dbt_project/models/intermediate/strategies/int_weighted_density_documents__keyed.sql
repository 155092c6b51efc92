-- One row per corpus with the default pivot set and eligible document: a weighted draw without replacement by density.
-- Efraimidis and Spirakis: the smallest -ln(u) / weight first, the order of Gumbel-top-k for logits ln(weight). The
-- weight is the smoothed density to the power 1 / temperature: 1 draws in proportion to density, towards 0 the densest
-- come first, and the larger the temperature, the more it is a draw among equals.

with

rankings as (

    select * from {{ ref('int_documents__ranked') }}
    where ranking = '{{ var('default_pivot_set') }}'

),

drawn as (

    select
        corpus,
        doc_id,
        smoothed_density,
        1 - {{ hash_unit('doc_id', 'weighted_density:' ~ var('selection_seed')) }} as uniform_draw
    from rankings

),

-- in logarithms: a small power of a small density is still a number. Where a language has no pivot, all weigh alike
final as (

    select
        corpus,
        doc_id,
        {{ rounded(
            'ln(greatest(-ln(uniform_draw), 1e-300)) - case when smoothed_density > 0 then ln(smoothed_density) else 0 end'
            ~ ' / ' ~ var('density_temperature'),
            9
        ) }} as sort_key
    from drawn

)

select * from final
