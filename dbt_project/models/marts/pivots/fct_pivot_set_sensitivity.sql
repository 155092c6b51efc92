-- One row per corpus, family of pivot sets, list length and threshold: how many tokens such a set would mark, and how
-- many of them are planted pivots. Families pairs_<method> take the candidates up to rank top_k with at least
-- min_score; adjacency and bridge the best top_k tokens of at least that (bridge) degree, maxz of at least that z.
-- Nothing is cut at a share.

with

candidates as (

    select * from {{ ref('fct_pivot_candidates') }}
    where
        is_kept
        and source_lang < target_lang -- every pair once
        and {{ may_find_pivots('word_split') }}

),

adjacency as (

    select * from {{ ref('int_adjacency_tokens__ranked') }}

),

bridge as (

    select * from {{ ref('int_bridge_tokens__ranked') }}

),

maxz as (

    select * from {{ ref('int_maxz_tokens__ranked') }}

),

tokens as (

    select * from {{ ref('dim_tokens') }}

),

planted_pivots as (

    select distinct
        corpus,
        token_id
    from {{ ref('stg_planted_pivots') }}
    where token_id is not null

),

-- the loosest place of a token in each family: one row per rank at which it appears would only repeat it
members as (

    select
        corpus,
        concat('pairs_', score_method) as pivot_family,
        token_id,
        pivot_rank as token_rank,
        max(pivot_score) as score
    from candidates
    group by corpus, score_method, token_id, pivot_rank

    union all

    select
        corpus,
        'adjacency' as pivot_family,
        token_id,
        token_rank,
        cast(degree as double) as score
    from adjacency

    union all

    select
        corpus,
        'bridge' as pivot_family,
        token_id,
        token_rank,
        cast(bridge_degree as double) as score
    from bridge

    union all

    select
        corpus,
        'maxz' as pivot_family,
        token_id,
        token_rank,
        bridge_z as score
    from maxz

),

settings as (

    {% set grids = [
        ('pairs_paper', [1, 3, 10, 20, 50, 100], [0, 0.05, 0.1, 0.2]),
        ('pairs_adjusted', [1, 3, 10, 20, 50, 100], [0, 3, 5, 8]),
        ('pairs_specific', [1, 3, 10, 20, 50, 100], [0, 3, 5, 8]),
        ('adjacency', [50, 100, 200, 500, 1000, 2000], [0, 5, 20]),
        ('bridge', [50, 100, 200, 500, 1000, 2000], [0, 5, 20]),
        ('maxz', [50, 100, 200, 500, 1000, 2000], [0, 8, 12])
    ] %}
    {% for family, top_ks, min_scores in grids %}
        {% set last_family = loop.last %}
        {% for top_k in top_ks %}
            {% set last_size = loop.last %}
            {% for min_score in min_scores %}
                select
                    '{{ family }}' as pivot_family,
                    cast({{ top_k }} as integer) as top_k,
                    cast({{ min_score }} as double) as min_score
                {% if not (last_family and last_size and loop.last) %}union all{% endif %}
            {% endfor %}
        {% endfor %}
    {% endfor %}

),

marked as (

    select distinct
        members.corpus,
        settings.pivot_family,
        settings.top_k,
        settings.min_score,
        members.token_id
    from members
    inner join settings
        on
            members.pivot_family = settings.pivot_family
            and members.token_rank <= settings.top_k
            and members.score >= settings.min_score

),

counted as (

    select
        marked.corpus,
        marked.pivot_family,
        marked.top_k,
        marked.min_score,
        count(*) as n_tokens,
        count(planted_pivots.token_id) as n_planted
    from marked
    left join planted_pivots
        on
            marked.corpus = planted_pivots.corpus
            and marked.token_id = planted_pivots.token_id
    group by marked.corpus, marked.pivot_family, marked.top_k, marked.min_score

),

vocabularies as (

    select
        corpus,
        count(*) as n_tokens
    from tokens
    where n_docs > 0
    group by corpus

),

truths as (

    select
        corpus,
        count(*) as n_planted
    from planted_pivots
    group by corpus

),

final as (

    select
        vocabularies.corpus,
        settings.pivot_family,
        settings.top_k,
        settings.min_score,
        coalesce(counted.n_tokens, 0) as n_tokens,
        {{ unit_rate('coalesce(counted.n_tokens, 0)', 'vocabularies.n_tokens') }} as vocabulary_share,
        case
            when truths.n_planted is not null then {{ unit_rate('counted.n_planted', 'counted.n_tokens') }}
        end as planted_precision,
        {{ unit_rate('coalesce(counted.n_planted, 0)', 'truths.n_planted') }} as planted_recall
    from vocabularies
    cross join settings
    left join counted
        on
            vocabularies.corpus = counted.corpus
            and settings.pivot_family = counted.pivot_family
            and settings.top_k = counted.top_k
            and settings.min_score = counted.min_score
    left join truths on vocabularies.corpus = truths.corpus

)

select * from final
