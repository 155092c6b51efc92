-- One row per corpus and document that holds a token at home in some language: its two most frequent languages, how
-- much of it is in the second one, and how the two alternate.

with

windows as (

    select * from {{ ref('int_document_windows__counted') }}

),

documents as (

    select * from {{ ref('int_document_languages__ranked') }}

),

window_pairs as (

    select
        windows.corpus,
        windows.doc_id,
        windows.window_number,
        sum(case when windows.lang = documents.main_lang then windows.n_tokens else 0 end) as n_main_tokens,
        sum(case when windows.lang = documents.second_lang then windows.n_tokens else 0 end) as n_second_tokens
    from windows
    inner join documents
        on
            windows.corpus = documents.corpus
            and windows.doc_id = documents.doc_id
    where documents.has_two_languages
    group by windows.corpus, windows.doc_id, windows.window_number

),

-- windows that lean to neither language are passed over
leaning as (

    select
        corpus,
        doc_id,
        window_number,
        n_main_tokens > n_second_tokens as is_main
    from window_pairs
    where n_main_tokens <> n_second_tokens

),

followed as (

    select
        corpus,
        doc_id,
        is_main,
        lag(is_main) over (partition by corpus, doc_id order by window_number) as was_main
    from leaning

),

switches as (

    select
        corpus,
        doc_id,
        cast(sum(case when is_main <> was_main then 1 else 0 end) as bigint) as n_switches
    from followed
    group by corpus, doc_id

),

blends as (

    select
        corpus,
        doc_id,
        cast(sum(least(n_main_tokens, n_second_tokens)) as bigint) as n_blended_tokens
    from window_pairs
    group by corpus, doc_id

),

final as (

    select
        documents.corpus,
        documents.doc_id,
        documents.main_lang,
        documents.second_lang,
        documents.n_main_tokens,
        documents.n_second_tokens,
        {{ unit_rate('documents.n_second_tokens', '(documents.n_main_tokens + documents.n_second_tokens)') }}
            as second_lang_share,
        documents.has_two_languages,
        {{ unit_rate('blends.n_blended_tokens', 'documents.n_second_tokens') }} as interleaving,
        coalesce(switches.n_switches, 0) as n_switches
    from documents
    left join switches
        on
            documents.corpus = switches.corpus
            and documents.doc_id = switches.doc_id
    left join blends
        on
            documents.corpus = blends.corpus
            and documents.doc_id = blends.doc_id

)

select * from final
