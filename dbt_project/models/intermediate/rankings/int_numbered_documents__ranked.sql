-- One row per ranking and eligible document, by its number: its marked tokens and ranks in its language.
-- Each ranking is sorted by itself, in as few and narrow rows as there are documents: one sort of all rankings by names
-- takes several times as long. What follows from these columns (int_documents__ranked) is not stored.
{% set rankings = [] %}
{% do list_rankings(rankings) %}

with

document_pivots as (

    select * from {{ ref('int_document_pivots__counted') }}

),

documents as (

    select * from {{ ref('int_eligible_documents__numbered') }}

),

document_bridges as (

    select * from {{ ref('int_document_bridges__counted') }}

),

document_words as (

    select * from {{ ref('int_document_words__counted') }}

),

mean_densities as (

    select * from {{ ref('int_ranking_densities__averaged') }}

),

{% for ranking in rankings %}
    marked_{{ ranking }} as (

        {% if ranking == 'bridging' %}
            select
                documents.document_number,
                documents.language_number,
                documents.n_tokens,
                coalesce(document_bridges.n_bridging_tokens, 0) as n_marked_tokens
            from documents
            left join document_bridges
                on
                    documents.corpus = document_bridges.corpus
                    and documents.doc_id = document_bridges.doc_id
        {% elif ranking == 'word_density' %}
            select
                documents.document_number,
                documents.language_number,
                documents.n_tokens,
                coalesce(document_words.n_word_matches, 0) as n_marked_tokens
            from documents
            left join document_words
                on
                    documents.corpus = document_words.corpus
                    and documents.doc_id = document_words.doc_id
        {% else %}
            select
                document_number,
                language_number,
                n_tokens,
                n_{{ ranking }}_tokens as n_marked_tokens
            from document_pivots
        {% endif %}

    ),

    -- a corpus without the set has no mean of it
    densities_{{ ranking }} as (

        select
            marked.document_number,
            marked.language_number,
            marked.n_tokens,
            cast(marked.n_marked_tokens as integer) as n_marked_tokens,
            {{ unit_rate('marked.n_marked_tokens', 'marked.n_tokens') }} as density,
            {{ smoothed_density('marked.n_marked_tokens', 'marked.n_tokens', 'mean_densities.mean_density') }}
                as smoothed_density
        from marked_{{ ranking }} as marked
        inner join mean_densities
            on
                marked.language_number = mean_densities.language_number
                and mean_densities.ranking = '{{ ranking }}'

    ),

    ranked_{{ ranking }} as (

        select
            '{{ ranking }}' as ranking,
            language_number,
            document_number,
            n_tokens,
            n_marked_tokens,
            cast(row_number() over (
                partition by language_number
                order by density desc, document_number asc
            ) as integer) as density_rank_in_lang,
            cast(row_number() over (
                partition by language_number
                order by smoothed_density desc, document_number asc
            ) as integer) as smoothed_rank_in_lang
        from densities_{{ ranking }}

    ),

{% endfor %}
final as (

    {% for ranking in rankings %}
        select * from ranked_{{ ranking }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

)

select * from final
