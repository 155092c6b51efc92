-- One row per run, item, direction and candidate source word: P(target | candidate) over all draws of shots.
with

word_scores as (

    select * from {{ ref('stg_word_scores') }}

),

averaged as (

    select
        run_id,
        item_id,
        source_lang,
        target_lang,
        candidate,
        count(*) as n_draws,
        max(n_target_tokens) as n_target_tokens,
        {{ exact_avg('nll_mean') }} as nll,
        {{ exact_avg('nll_mean_without_space') }} as nll_without_space
    from word_scores
    -- a model that diverged gives NaN: left out here, counted by the failure signature non_finite_values
    where {{ is_finite('nll_mean') }} and {{ is_finite('nll_mean_without_space') }}
    group by run_id, item_id, source_lang, target_lang, candidate

),

final as (

    select
        run_id,
        item_id,
        source_lang,
        target_lang,
        candidate,
        n_draws,
        n_target_tokens,
        nll,
        nll_without_space,
        exp(-nll) as p,
        exp(-nll_without_space) as p_without_space
    from averaged

)

select * from final
