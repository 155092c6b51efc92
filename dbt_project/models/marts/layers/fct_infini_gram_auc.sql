-- One row per trace run, infini-gram run, direction (and all/all), behaviour definition and predictor: do the index's
-- counts tell co-occurrence from pivot. AUC from the rank sum (Mann-Whitney), ties at their mean rank.

with

behaviours as (

    select * from {{ ref('fct_behaviours') }}

),

counts as (

    select * from {{ ref('fct_infini_gram_cooccurrence') }}

),

observed as (

    {% for definition, behaviour in [('peak', 'behaviour'), ('threshold', 'behaviour_by_threshold')] -%}
        select
            run_id,
            item_id,
            source_lang,
            target_lang,
            '{{ definition }}' as behaviour_definition,
            {{ behaviour }} as behaviour
        from behaviours
        where {{ behaviour }} in ('cooccurrence', 'pivot')
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

predicting as (

    {% for predictor, n_occurrences, is_left_out in [
        ('pair_count', 'n_occurrences_both', 'is_sampled or is_approx'),
        ('target_frequency', 'n_occurrences_target', 'false'),
        ('source_frequency', 'n_occurrences_source', 'false'),
    ] -%}
        select
            run_id,
            item_id,
            source_lang,
            target_lang,
            '{{ predictor }}' as predictor,
            {{ n_occurrences }} as n_occurrences,
            {{ is_left_out }} as is_left_out
        from counts
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

labelled as (

    select
        observed.run_id,
        predicting.run_id as infini_gram_run_id,
        observed.source_lang,
        observed.target_lang,
        observed.behaviour_definition,
        predicting.predictor,
        observed.behaviour,
        predicting.n_occurrences,
        predicting.is_left_out
    from observed
    inner join predicting
        on
            observed.item_id = predicting.item_id
            and observed.source_lang = predicting.source_lang
            and observed.target_lang = predicting.target_lang

),

ranked as (

    select
        *,
        cast({{ mid_rank(
            'n_occurrences',
            'run_id, infini_gram_run_id, source_lang, target_lang, behaviour_definition, predictor, is_left_out'
        ) }} as double) as value_rank
    from labelled

),

counted as (

    select
        run_id,
        infini_gram_run_id,
        source_lang,
        target_lang,
        behaviour_definition,
        predictor,
        cast(sum(case when not is_left_out and behaviour = 'cooccurrence' then 1 else 0 end) as bigint)
            as n_cooccurrence,
        cast(sum(case when not is_left_out and behaviour = 'pivot' then 1 else 0 end) as bigint) as n_pivot,
        cast(sum(case when is_left_out then 1 else 0 end) as bigint) as n_left_out,
        -- whole and half numbers: exact in any order
        sum(case when not is_left_out and behaviour = 'cooccurrence' then value_rank else 0 end) as rank_sum
    from ranked
    group by run_id, infini_gram_run_id, source_lang, target_lang, behaviour_definition, predictor

),

of_pairs as (

    select
        run_id,
        infini_gram_run_id,
        source_lang,
        target_lang,
        behaviour_definition,
        predictor,
        n_cooccurrence,
        n_pivot,
        n_left_out,
        (rank_sum - n_cooccurrence * (n_cooccurrence + 1) / 2.0e0) / nullif(n_cooccurrence * n_pivot, 0) as auc
    from counted

),

over_pairs as (

    select
        run_id,
        infini_gram_run_id,
        'all' as source_lang,
        'all' as target_lang,
        behaviour_definition,
        predictor,
        cast(sum(n_cooccurrence) as bigint) as n_cooccurrence,
        cast(sum(n_pivot) as bigint) as n_pivot,
        cast(sum(n_left_out) as bigint) as n_left_out,
        {{ exact_avg('auc') }} as auc
    from of_pairs
    group by run_id, infini_gram_run_id, behaviour_definition, predictor

),

listed as (

    select * from of_pairs

    union all

    select * from over_pairs

),

final as (

    select
        *,
        {{ is_summary(['source_lang']) }} as is_summary
    from listed

)

select * from final
