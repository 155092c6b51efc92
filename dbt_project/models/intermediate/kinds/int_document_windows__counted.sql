-- One row per corpus, document of two languages, window and language: how many tokens at home in the language, repeats
-- counted, stand in the window. Windows are consecutive pieces, kind_window_tokens long.

with

token_homes as (

    select
        corpus,
        token_id,
        lang
    from {{ ref('int_token_homes__assigned') }}

),

documents as (

    select
        corpus,
        doc_id
    from {{ ref('int_document_languages__ranked') }}
    where has_two_languages

),

final as (

    {{ count_in_windows('token_homes', 'lang', var('kind_window_tokens'), documents='documents') | indent }}

)

select * from final
