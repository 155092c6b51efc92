-- One row per held-out run and language: loss, and its change against the untrained model of the same experiment.
with

held_out_losses as (

    select * from {{ ref('int_held_out_losses__compared') }}

),

final as (

    select
        run_id,
        lang,
        corpus,
        experiment,
        strategy,
        seed,
        model_id,
        n_docs,
        n_tokens,
        n_bytes,
        loss,
        bits_per_byte,
        loss_delta,
        bits_per_byte_delta
    from held_out_losses

)

select * from final
