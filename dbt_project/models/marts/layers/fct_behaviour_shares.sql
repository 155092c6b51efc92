-- One row per experiment, strategy, band of shared units (and all) and behaviour: how many traced words, over all runs.
with

behaviours as (

    select * from {{ ref('int_behaviours__classified') }}
    where experiment is not null

),

cooccurrence as (

    select * from {{ ref('int_word_pairs__directed') }}

),

banded as (

    select
        behaviours.experiment,
        behaviours.strategy,
        behaviours.run_id,
        behaviours.behaviour,
        -- powers of ten from the number of digits, so that no rounded logarithm decides
        case
            when cooccurrence.n_docs_both = 0 then 0
            else cast(power(10, length(cast(cooccurrence.n_docs_both as string)) - 1) as bigint)
        end as min_docs_both
    from behaviours
    inner join cooccurrence
        on
            behaviours.corpus = cooccurrence.corpus
            and behaviours.item_id = cooccurrence.item_id
            and behaviours.source_lang = cooccurrence.source_lang
            and behaviours.target_lang = cooccurrence.target_lang

),

cut as (

    select
        experiment,
        strategy,
        run_id,
        behaviour,
        'all' as shared_docs,
        cast(null as bigint) as min_docs_both
    from behaviours

    union all

    select
        experiment,
        strategy,
        run_id,
        behaviour,
        case
            when min_docs_both = 0 then '0'
            else concat(cast(min_docs_both as string), '-', cast(10 * min_docs_both - 1 as string))
        end as shared_docs,
        min_docs_both
    from banded

),

counted as (

    select
        experiment,
        strategy,
        shared_docs,
        min_docs_both,
        behaviour,
        count(*) as n_words,
        count(distinct run_id) as n_runs
    from cut
    group by experiment, strategy, shared_docs, min_docs_both, behaviour

),

final as (

    select
        experiment,
        strategy,
        shared_docs,
        behaviour,
        min_docs_both,
        n_words,
        n_runs,
        cast(n_words as double) / sum(n_words) over (partition by experiment, strategy, shared_docs) as share,
        {{ is_summary(['shared_docs']) }} as is_summary
    from counted

)

select * from final
