-- Within ranking and language both ranks are 1 .. n without gap or repetition: as many as the largest, each place once.
-- No document holds more pivots than tokens; words of the list may overlap.
{{ config(group='selection') }}
{% set rankings = [] %}
{% do list_rankings(rankings) %}

{% for ranking in rankings %}
    select
        ranking,
        language_number
    from {{ ref('int_numbered_documents__ranked') }}
    where ranking = '{{ ranking }}'
    group by ranking, language_number
    having
        max(density_rank_in_lang) <> count(*)
        or count(distinct density_rank_in_lang) <> count(*)
        or max(smoothed_rank_in_lang) <> count(*)
        or count(distinct smoothed_rank_in_lang) <> count(*)
        or count(distinct document_number) <> count(*)
        or min(n_marked_tokens) < 0
        {% if ranking != 'word_density' %}
            or max(n_marked_tokens - n_tokens) > 0
        {% endif %}

    {{ 'union all' if not loop.last }}
{% endfor %}
