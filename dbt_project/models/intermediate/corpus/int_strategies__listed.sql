-- One row per strategy that chooses training documents: how languages share its tokens, and what it is compared as.
{% set default_ranking = var('default_pivot_set') %}
{% set strategies = [
    ('base', none, none, true, none,
     'The model before any training.'),
    ('original', 'natural', none, true, none,
     'Documents in random order, every language at its own share of the corpus.'),
    ('random_multilingual', 'multilingual', none, true, none,
     'Documents in random order within their language, languages at multilingual shares.'),
    ('frequency_weighted_multilingual', 'multilingual', none, false, none,
     'Documents drawn at random, those with more words of the list sooner; multilingual shares.'),
    ('pivot_aware', 'multilingual', default_ranking, false, none,
     'Documents densest in tokens of the default pivot set first; multilingual shares.'),
    ('pivot_coverage', 'multilingual', 'coverage', false, none,
     'Documents that together cover most pivots of the default set beside their neighbours first; multilingual shares.'),
    ('word_density', 'multilingual', 'word_density', true, none,
     'Documents densest in words of the list first: exposure to the words without pivots; multilingual shares.'),
    ('planted_truth', 'multilingual', 'planted_truth', false, none,
     'Documents densest in planted pivots first, where these are known; multilingual shares.'),
    ('pivot_aware_threshold', 'multilingual', default_ranking, false, 'pivot_aware',
     'Documents above a density of the default pivot set, in random order; multilingual shares.'),
    ('pivot_aware_bridging', 'multilingual', 'bridging', false, 'pivot_aware',
     'Documents densest in pivots beside a neighbour in another language first; multilingual shares.'),
    ('matched_random', 'multilingual', none, true, none,
     'Documents at random among those like the ones of ' ~ var('matched_reference')
     ~ ': evaluation words, length and language mixture are the same; multilingual shares.'),
    ('no_mixed', 'monolingual', none, true, none,
     'Documents in one language alone, in random order; multilingual shares of these.'),
    ('parallel', 'multilingual', none, false, none,
     'Parallel documents first, then those in one language, in random order; multilingual shares.'),
    ('code_switched', 'multilingual', none, false, none,
     'Code-switched documents first, then those in one language, in random order; multilingual shares.'),
    ('weighted_density', 'multilingual', none, false, 'pivot_aware',
     'Documents drawn at random, those denser in tokens of the default pivot set sooner; multilingual shares.'),
    ('dsir', 'multilingual', none, true, none,
     'Documents drawn by importance for a target, estimated from hashed pairs of tokens; multilingual shares.'),
] %}
{% set own_strategies = var('own_strategies') %}

with

pivot_sets as (

    select * from {{ ref('int_pivot_sets__listed') }}
    where pivot_family <> 'planted' -- strategy planted_truth reads that one

),

named as (

    {% for strategy, share_scheme, ranking, is_baseline, variant_of, description in strategies %}
        select
            '{{ strategy }}' as strategy,
            cast({{ "'" ~ share_scheme ~ "'" if share_scheme else 'null' }} as string) as share_scheme,
            cast({{ "'" ~ ranking ~ "'" if ranking else 'null' }} as string) as ranking,
            {{ is_baseline | lower }} as is_baseline,
            cast({{ "'" ~ variant_of ~ "'" if variant_of else 'null' }} as string) as variant_of,
            cast({{ loop.index }} as bigint) as display_order,
            '{{ description }}' as description
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

-- pivot_aware with a set that is named
of_sets as (

    select
        concat('pivot_aware_', pivot_set) as strategy,
        'multilingual' as share_scheme,
        pivot_set as ranking,
        false as is_baseline,
        'pivot_aware' as variant_of,
        {{ strategies | length }} + cast(row_number() over (order by pivot_set) as bigint) as display_order,
        concat('Documents densest in tokens of set ', pivot_set, ' first; multilingual shares.') as description
    from pivot_sets

),

{% if own_strategies %}
    own as (

        {% for strategy in own_strategies %}
            select
                '{{ strategy }}' as strategy,
                'multilingual' as share_scheme,
                cast(null as string) as ranking,
                false as is_baseline,
                cast(null as string) as variant_of,
                cast({{ 1000 + loop.index }} as bigint) as display_order,
                'Own strategy: documents by int_{{ strategy }}_documents__keyed; multilingual shares.' as description
            {% if not loop.last %}union all{% endif %}
        {% endfor %}

    ),

{% endif %}
listed as (

    select * from named
    {% if own_strategies %}
        union all
        select * from own
    {% endif %}
    union all
    select * from of_sets

),

final as (

    select
        strategy,
        share_scheme,
        ranking,
        is_baseline,
        strategy = 'pivot_aware' as is_default,
        strategy = 'random_multilingual' as is_default_baseline,
        strategy = 'word_density' as is_exposure_control,
        variant_of,
        display_order,
        description
    from listed

)

select * from final
