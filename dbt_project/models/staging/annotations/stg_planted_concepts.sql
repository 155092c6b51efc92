-- One row per planted corpus and concept whose kind of link is known.
select
    corpus,
    item_id,
    kind,
    role,
    topic
from {{ source('raw', 'planted_concepts') }}
