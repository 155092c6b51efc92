-- Both directions of a pair exist, hold the same joint count, and no more than either word has.
with

pairs as (

    select * from {{ ref('fct_word_pair_cooccurrence') }}

)

select
    forth.corpus,
    forth.item_id,
    forth.source_lang,
    forth.target_lang
from pairs as forth
left join pairs as back
    on
        forth.corpus = back.corpus
        and forth.item_id = back.item_id
        and forth.source_lang = back.target_lang
        and forth.target_lang = back.source_lang
where
    back.corpus is null
    or forth.n_docs_both <> back.n_docs_both
    or forth.n_docs_source <> back.n_docs_target
    or forth.n_docs_both > least(forth.n_docs_source, forth.n_docs_target)
