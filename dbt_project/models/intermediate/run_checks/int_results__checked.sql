-- One row per run with results of its own: rows whose loss, probability or likelihood is NaN or infinite.
with

checked as (

    select
        run_id,
        {{ is_finite('nll_mean + nll_mean_without_space') }} as is_finite_row
    from {{ ref('stg_word_scores') }}

    union all

    select
        run_id,
        {{ is_finite('p_top + p_source + p_target + coalesce(p_pivot, 0) + coalesce(p_control, 0) + entropy') }}
            as is_finite_row
    from {{ ref('stg_layer_traces') }}

    union all

    select
        run_id,
        {{ is_finite('nll_sum') }} as is_finite_row
    from {{ ref('stg_held_out_losses') }}

    union all

    select
        run_id,
        {{ is_finite('loss') }} as is_finite_row
    from {{ ref('stg_training_steps') }}

),

final as (

    select
        run_id,
        count(*) as n_rows,
        sum(case when is_finite_row then 0 else 1 end) as n_non_finite_rows
    from checked
    group by run_id

)

select * from final
