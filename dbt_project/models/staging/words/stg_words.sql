-- One row per word of a list.
select
    word_id,
    lang,
    word
from {{ source('raw', 'words') }}
