-- One row per corpus and stratum: N_k units.
select
    corpus,
    lang,
    length_bin,
    n_docs
from {{ source('raw', 'strata') }}
