-- One row per infini-gram run, direction (and all/all) and measure: how well the index's counts stand for the corpus's
-- exact ones.

with

pairs as (

    select * from {{ ref('fct_infini_gram_cooccurrence') }}
    where counted_docs_both is not null

),

measured as (

    {% for measure, counted in [
        ('n_occurrences_source', 'counted_docs_source'),
        ('n_occurrences_both', 'counted_docs_both'),
        ('n_docs_source', 'counted_docs_source'),
        ('n_docs_both', 'counted_docs_both'),
    ] -%}
        select
            run_id,
            corpus,
            max_diff_tokens,
            source_lang,
            target_lang,
            '{{ measure }}' as measure,
            cast({{ measure }} as double) as from_index,
            cast({{ counted }} as double) as counted
        from pairs
        where {{ measure }} is not null
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

grouped as (

    select * from measured

    union all

    select
        run_id,
        corpus,
        max_diff_tokens,
        'all' as source_lang,
        'all' as target_lang,
        measure,
        from_index,
        counted
    from measured

),

ranked as (

    select
        *,
        {{ mid_rank('from_index', 'run_id, source_lang, target_lang, measure') }} as rank_from_index,
        {{ mid_rank('counted', 'run_id, source_lang, target_lang, measure') }} as rank_counted
    from grouped

),

final as (

    select
        run_id,
        corpus,
        max_diff_tokens,
        source_lang,
        target_lang,
        measure,
        count(*) as n_pairs,
        cast(sum(case when from_index = counted then 1 else 0 end) as bigint) as n_equal,
        cast(sum(case when from_index = 0 and counted > 0 then 1 else 0 end) as bigint) as n_missed,
        cast(sum(case when from_index > 0 and counted = 0 then 1 else 0 end) as bigint) as n_spurious,
        {{ unit_rate('sum(from_index)', 'sum(counted)') }} as total_ratio,
        -- where all values of one side are equal a correlation is no number
        case
            when min(rank_from_index) < max(rank_from_index) and min(rank_counted) < max(rank_counted)
                then {{ rounded('corr(cast(rank_from_index as double), cast(rank_counted as double))', 9) }}
        end as rank_correlation,
        {{ is_summary(['source_lang']) }} as is_summary
    from ranked
    group by run_id, corpus, max_diff_tokens, source_lang, target_lang, measure

)

select * from final
