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

positions as (

    select
        corpus,
        doc_id,
        {{ unnest_with_position('token_ids', 'position', 'token_id') }}
    from {{ ref('stg_document_tokens') }}

),

final as (

    select
        positions.corpus,
        positions.doc_id,
        cast(floor(positions.position / {{ var('kind_window_tokens') }}) as integer) as window_number,
        token_homes.lang,
        count(*) as n_tokens
    from positions
    inner join token_homes
        on
            positions.corpus = token_homes.corpus
            and positions.token_id = token_homes.token_id
    group by positions.corpus, positions.doc_id, window_number, token_homes.lang

)

select * from final
