-- One row per training run, step, sequence, document and word of the list: how often the part that was read shows it.
with

reads as (

    select
        training_reads.*,
        runs.corpus
    from {{ ref('stg_training_reads') }} as training_reads
    inner join {{ ref('stg_runs') }} as runs on training_reads.run_id = runs.run_id

),

matches as (

    select * from {{ ref('stg_word_matches') }}

),

final as (

    select
        reads.run_id,
        reads.step,
        reads.sequence,
        reads.doc_id,
        matches.word_id,
        count(*) as n_matches
    from reads
    inner join matches
        on
            reads.corpus = matches.corpus
            and reads.doc_id = matches.doc_id
            and reads.first_token <= matches.token_start
            and reads.first_token + reads.n_tokens > matches.token_start
    group by reads.run_id, reads.step, reads.sequence, reads.doc_id, matches.word_id

)

select * from final
