{#
  Appends the strategies to a list, but for those of a pivot set or of a project, in the order in which people compare them: (name, how
  languages share a budget, ranking that it takes from the top, whether it is a baseline, strategy that it is a variant of,
  description).
#}
{% macro list_strategies(into) -%}
    {%- set default_ranking = var('default_pivot_set') -%}
    {%- do into.extend([
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
    ]) -%}
{%- endmacro %}

{# Appends the names of all strategies that choose documents to a list. #}
{% macro list_strategy_names(into) -%}
    {%- set strategies = [] -%}
    {%- do list_strategies(strategies) -%}
    {%- do into.extend(strategies | map(attribute=0) | reject('equalto', 'base') | list) -%}
    {%- set pivot_sets = [] -%}
    {%- do list_pivot_sets(pivot_sets) -%}
    {%- for pivot_set, pivot_family, max_size, max_share in pivot_sets if pivot_family != 'planted' -%}
        {%- do into.append('pivot_aware_' ~ pivot_set) -%}
    {%- endfor -%}
    {%- do into.extend(var('own_strategies')) -%}
{%- endmacro %}
