-- One row per experiment that declared what it is judged by.
select
    experiment,
    preset,
    primary_outcome,
    primary_word_split,
    smallest_effect
from {{ source('raw', 'experiments') }}
