-- Held-out documents measure forgetting: training on one of them, or on a copy, would hide it.
select
    selected.corpus,
    selected.strategy,
    selected.doc_id
from {{ ref('fct_selected_documents') }} as selected
inner join {{ ref('dim_documents') }} as documents
    on
        selected.corpus = documents.corpus
        and selected.doc_id = documents.doc_id
where documents.is_held_out or documents.is_duplicate
