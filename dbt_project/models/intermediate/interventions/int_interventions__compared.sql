-- One row per run, item, direction, layer and effect: by how much an intervention changes the answer's log-probability
-- per token, below zero where it hurts; and how much more the own pivots do than each control.
with

interventions as (

    select
        *,
        nll_mean_untouched - nll_mean as change
    from {{ ref('stg_interventions') }}
    where {{ is_finite('nll_mean_untouched') }} and {{ is_finite('nll_mean') }}

),

runs as (

    select * from {{ ref('stg_runs') }}

),

cooccurrence as (

    select * from {{ ref('int_word_pairs__directed') }}

),

effects as (

    select
        run_id,
        item_id,
        source_lang,
        target_lang,
        layer,
        intervention as effect,
        change,
        changed_share
    from interventions

    union all

    select
        own.run_id,
        own.item_id,
        own.source_lang,
        own.target_lang,
        own.layer,
        concat('own_pivots_over_', controls.intervention) as effect,
        own.change - controls.change as change,
        own.changed_share - controls.changed_share as changed_share
    from interventions as own
    inner join interventions as controls
        on
            own.run_id = controls.run_id
            and own.item_id = controls.item_id
            and own.source_lang = controls.source_lang
            and own.target_lang = controls.target_lang
            and own.layer = controls.layer
    where own.intervention = 'own_pivots' and controls.intervention in ('other_pivots', 'random_tokens')

),

final as (

    select
        effects.run_id,
        effects.item_id,
        effects.source_lang,
        effects.target_lang,
        effects.layer,
        effects.effect,
        effects.change,
        effects.changed_share,
        case
            when cooccurrence.n_docs_both > 0 then 'cooccurring'
            when cooccurrence.n_docs_both = 0 then 'apart'
        end as pair_class
    from effects
    inner join runs on effects.run_id = runs.run_id
    left join cooccurrence
        on
            runs.corpus = cooccurrence.corpus
            and effects.item_id = cooccurrence.item_id
            and effects.source_lang = cooccurrence.source_lang
            and effects.target_lang = cooccurrence.target_lang

)

select * from final
