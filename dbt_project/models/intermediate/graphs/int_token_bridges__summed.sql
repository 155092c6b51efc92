-- One row per corpus, token and language of its neighbours in the stratified graph (NULL: neighbours of no language):
-- how many there are, the sum of their edges' z, and the largest z.

with

edges as (

    select * from {{ ref('int_bridge_edges__weighed') }}

),

token_languages as (

    select * from {{ ref('int_token_languages__assigned') }}

),

ends as (

    select
        corpus,
        token_id_a as token_id,
        token_id_b as neighbour_id,
        edge_weight
    from edges

    union all

    select
        corpus,
        token_id_b as token_id,
        token_id_a as neighbour_id,
        edge_weight
    from edges

),

final as (

    select
        ends.corpus,
        ends.token_id,
        token_languages.lang,
        count(*) as degree,
        {{ exact_sum('ends.edge_weight') }} as weighted_degree,
        max(ends.edge_weight) as max_z
    from ends
    left join token_languages
        on
            ends.corpus = token_languages.corpus
            and ends.neighbour_id = token_languages.token_id
    group by ends.corpus, ends.token_id, token_languages.lang

)

select * from final
