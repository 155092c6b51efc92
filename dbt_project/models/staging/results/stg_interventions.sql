-- One row per run, item, direction, layer and intervention behind it.
select
    run_id,
    item_id,
    source_lang,
    target_lang,
    layer,
    intervention,
    n_directions,
    changed_share,
    n_target_tokens,
    nll_mean_untouched,
    nll_mean
from {{ source('raw', 'interventions') }}
