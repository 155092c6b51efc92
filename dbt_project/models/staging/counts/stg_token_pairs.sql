-- One row per corpus and two tokens whose edge can matter: n(x,y), E(x,y), Var(x,y); token_id_a < token_id_b.
select
    corpus,
    token_id_a,
    token_id_b,
    n_docs,
    expected_n_docs,
    variance
from {{ source('raw', 'token_pairs') }}
