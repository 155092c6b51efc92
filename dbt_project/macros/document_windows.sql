{#
  One row per corpus, document, window and value of `counted`: how many of the document's tokens, repeats counted, stand
  in the window and in `tokens`, a relation with corpus, token_id and the column `counted` (which may be token_id).
  Windows are consecutive pieces of `window_tokens` tokens; the last of a document may be shorter. `documents`, a relation
  with corpus and doc_id, are those that are looked at.
#}
{% macro count_in_windows(tokens, counted, window_tokens, documents) -%}
select
    positions.corpus,
    positions.doc_id,
    cast(floor(positions.position / {{ window_tokens }}) as integer) as window_number,
    {{ tokens }}.{{ counted }},
    count(*) as n_tokens
from (
    select
        document_tokens.corpus,
        document_tokens.doc_id,
        {{ unnest_with_position('document_tokens.token_ids', 'position', 'token_id') }}
    from {{ ref('stg_document_tokens') }} as document_tokens
    inner join {{ documents }}
        on
            document_tokens.corpus = {{ documents }}.corpus
            and document_tokens.doc_id = {{ documents }}.doc_id
) as positions
inner join {{ tokens }}
    on
        positions.corpus = {{ tokens }}.corpus
        and positions.token_id = {{ tokens }}.token_id
group by positions.corpus, positions.doc_id, window_number, {{ tokens }}.{{ counted }}
{%- endmacro %}
