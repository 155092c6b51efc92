-- One row per score run, item and direction: the translation score of one word.
with

candidates as (

    select
        *,
        min(nll) over (partition by run_id, item_id, source_lang, target_lang) as lowest_nll
    from {{ ref('int_candidates__averaged') }}

),

runs as (

    select * from {{ ref('stg_runs') }}

),

items as (

    select
        items.item_id,
        items.lang,
        items.word_split,
        words.word
    from {{ ref('stg_translation_items') }} as items
    inner join {{ ref('stg_words') }} as words on items.word_id = words.word_id

),

right_words as (

    select * from candidates
    where candidate = 0

),

distractors as (

    select
        candidates.run_id,
        candidates.item_id,
        candidates.source_lang,
        candidates.target_lang,
        count(*) as n_distractors,
        {{ exact_avg('candidates.p') }} as p_distractors,
        {{ exact_avg('candidates.p_without_space') }} as p_distractors_without_space,
        min(candidates.nll) as strongest_nll,
        -- against the likeliest candidate: every term is between 0 and 1, however long the answer
        {{ exact_sum('exp(candidates.lowest_nll - candidates.nll)') }} as relative_p,
        -- a tie is not a win
        1 + sum(case when candidates.nll <= right_words.nll then 1 else 0 end) as right_rank
    from candidates
    inner join right_words
        on
            candidates.run_id = right_words.run_id
            and candidates.item_id = right_words.item_id
            and candidates.source_lang = right_words.source_lang
            and candidates.target_lang = right_words.target_lang
    where candidates.candidate > 0
    group by candidates.run_id, candidates.item_id, candidates.source_lang, candidates.target_lang

),

final as (

    select
        right_words.run_id,
        right_words.item_id,
        right_words.source_lang,
        right_words.target_lang,
        runs.corpus,
        runs.experiment,
        runs.strategy,
        runs.seed,
        runs.model_id,
        source_items.word as source_word,
        target_items.word as target_word,
        source_items.word_split,
        right_words.n_draws,
        coalesce(distractors.n_distractors, 0) as n_distractors,
        right_words.p as p_right,
        distractors.p_distractors,
        right_words.p - distractors.p_distractors as score,
        right_words.p_without_space - distractors.p_distractors_without_space as score_without_space,
        right_words.lowest_nll - right_words.nll
        - ln(exp(right_words.lowest_nll - right_words.nll) + distractors.relative_p) as normalised_log_p,
        distractors.strongest_nll - right_words.nll as margin,
        -- the answer is a space and the word
        right_words.nll * right_words.n_target_tokens
        / (ln(2.0e0) * (1 + {{ byte_length('target_items.word') }})) as bits_per_byte,
        cast(distractors.right_rank as int) as right_rank,
        cast(1 as double) / (1 + distractors.n_distractors) as chance_rate
    from right_words
    left join distractors
        on
            right_words.run_id = distractors.run_id
            and right_words.item_id = distractors.item_id
            and right_words.source_lang = distractors.source_lang
            and right_words.target_lang = distractors.target_lang
    inner join runs on right_words.run_id = runs.run_id
    left join items as source_items
        on
            right_words.item_id = source_items.item_id
            and right_words.source_lang = source_items.lang
    left join items as target_items
        on
            right_words.item_id = target_items.item_id
            and right_words.target_lang = target_items.lang

)

select * from final
