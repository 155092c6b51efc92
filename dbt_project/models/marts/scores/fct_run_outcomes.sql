-- One row per run and measure: words, sentences and held-out text beside each other, with their change by training.
with

scores as (

    select * from {{ ref('fct_translation_scores') }}
    where source_lang = 'all' and word_split = 'judge'

),

sentences as (

    select * from {{ ref('fct_sentence_scores') }}
    where source_lang = 'all'

),

losses as (

    select * from {{ ref('fct_held_out_losses') }}

),

pairs as (

    select * from {{ ref('int_arms__paired') }}
    where kind = 'score' and baseline = 'base'

),

runs as (

    select * from {{ ref('stg_runs') }}

),

measured as (

    {% for measure, column in [('word_score', 'score'), ('first_rank_rate', 'first_rank_rate')] %}
        select
            scores.run_id,
            '{{ measure }}' as measure,
            scores.{{ column }} as value,
            scores.{{ column }} - base_scores.{{ column }} as delta,
            true as is_higher_better
        from scores
        left join pairs on scores.run_id = pairs.run_id
        left join scores as base_scores on pairs.baseline_run_id = base_scores.run_id

        union all
    {% endfor %}

    select
        run_id,
        'sentence_chrf' as measure,
        chrf as value,
        chrf_delta as delta,
        true as is_higher_better
    from sentences

    union all

    select
        run_id,
        'held_out_bits_per_byte' as measure,
        {{ exact_avg('bits_per_byte') }} as value,
        {{ exact_avg('bits_per_byte_delta') }} as delta,
        false as is_higher_better
    from losses
    group by run_id

),

final as (

    select
        measured.run_id,
        measured.measure,
        runs.corpus,
        runs.experiment,
        runs.strategy,
        runs.seed,
        runs.model_id,
        measured.value,
        measured.delta,
        measured.is_higher_better,
        case
            when measured.delta is not null and measured.is_higher_better then measured.delta > 0
            when measured.delta is not null then measured.delta < 0
        end as is_better
    from measured
    inner join runs on measured.run_id = runs.run_id

)

select * from final
