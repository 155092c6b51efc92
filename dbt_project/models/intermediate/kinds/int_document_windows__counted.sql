-- One row per corpus, document, window and language: how many tokens at home in the language, repeats counted, stand
-- in the window. Windows are consecutive pieces, kind_window_tokens long. The only pass over all tokens that documents'
-- kinds need.

with

token_homes as (

    select
        corpus,
        token_id,
        lang
    from {{ ref('int_token_homes__assigned') }}

),

final as (

    {{ count_in_windows('token_homes', 'lang', var('kind_window_tokens')) | indent }}

)

select * from final
