-- One row per sentence run and direction: chrF of all its sentences, from the sums of their n-gram counts.
with

summed as (

    select
        run_id,
        source_lang,
        target_lang,
        ngram_kind,
        ngram_length,
        sum(n_translation) as n_translation,
        sum(n_reference) as n_reference,
        sum(n_both) as n_both
    from {{ ref('stg_sentence_ngrams') }}
    group by run_id, source_lang, target_lang, ngram_kind, ngram_length

),

shares as (

    select
        run_id,
        source_lang,
        target_lang,
        ngram_kind,
        -- lengths of which either side has no n-gram count nowhere, as sacrebleu has it
        cast(n_both as double) / n_translation as precision_share,
        cast(n_both as double) / n_reference as recall_share
    from summed
    where n_translation > 0 and n_reference > 0

),

averaged as (

    select
        run_id,
        source_lang,
        target_lang,
        {{ exact_avg("case when ngram_kind = 'character' then precision_share end") }} as character_precision,
        {{ exact_avg("case when ngram_kind = 'character' then recall_share end") }} as character_recall,
        {{ exact_avg('precision_share') }} as all_precision,
        {{ exact_avg('recall_share') }} as all_recall
    from shares
    group by run_id, source_lang, target_lang

),

directions as (

    select distinct
        run_id,
        source_lang,
        target_lang
    from summed

),

final as (

    select
        directions.run_id,
        directions.source_lang,
        directions.target_lang,
        -- F with beta = 2: recall weighs twice
        coalesce(
            500 * character_precision * character_recall / nullif(4 * character_precision + character_recall, 0), 0
        ) as chrf,
        coalesce(500 * all_precision * all_recall / nullif(4 * all_precision + all_recall, 0), 0) as chrf_pp
    from directions
    left join averaged
        on
            directions.run_id = averaged.run_id
            and directions.source_lang = averaged.source_lang
            and directions.target_lang = averaged.target_lang

)

select * from final
