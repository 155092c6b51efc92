-- What did the training cost, and which results are not to be trusted?
-- Read: change of the held-out loss against the untrained model, the worst language of each arm, and how many failure
-- signatures its runs raise. Above 0.02 bits per byte a language counts as forgotten.
-- In short: strategy {strategy} loses most in {worst_lang}: {bits_per_byte_delta} bits per byte. Signatures flagged in
-- its runs: {n_flagged}.
with

worst as (

    select
        experiment,
        strategy,
        seed,
        lang,
        bits_per_byte_delta,
        row_number() over (
            partition by experiment, strategy, seed
            order by bits_per_byte_delta desc, lang asc
        ) as place
    from {{ ref('fct_held_out_losses') }}
    where bits_per_byte_delta is not null

),

flagged as (

    select
        experiment,
        strategy,
        seed,
        count(*) as n_signatures,
        sum(case when status = 'flagged' then 1 else 0 end) as n_flagged,
        {{ concat_sorted("case when status = 'flagged' then signature end") }} as flagged_signatures
    from {{ ref('fct_failure_signatures') }}
    group by experiment, strategy, seed

)

select
    worst.experiment,
    worst.strategy,
    worst.seed,
    worst.lang as worst_lang,
    round(worst.bits_per_byte_delta, 4) as bits_per_byte_delta,
    flagged.n_signatures,
    cast(flagged.n_flagged as bigint) as n_flagged,
    flagged.flagged_signatures
from worst
inner join flagged
    on
        worst.experiment = flagged.experiment
        and worst.strategy = flagged.strategy
        and worst.seed is not distinct from flagged.seed
where worst.place = 1
order by worst.bits_per_byte_delta desc, worst.strategy asc
