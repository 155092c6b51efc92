-- In each layer the behaviours of a direction hold all of its traced words, and so do the classes of every definition.
with

traced as (

    select
        run_id,
        source_lang,
        target_lang,
        count(*) as n_words,
        sum(case when behaviour in ('cooccurrence', 'pivot') then 1 else 0 end) as n_judged
    from {{ ref('fct_behaviours') }}
    group by run_id, source_lang, target_lang

),

curves as (

    select
        run_id,
        source_lang,
        target_lang,
        layer,
        sum(n_items) as n_words
    from {{ ref('fct_pivot_layer_curves') }}
    where source_lang <> 'all'
    group by run_id, source_lang, target_lang, layer

)

select
    traced.run_id,
    traced.source_lang,
    traced.target_lang,
    'more words than traced in a layer' as problem,
    cast(curves.layer as double) as place
from traced
inner join curves
    on
        traced.run_id = curves.run_id
        and traced.source_lang = curves.source_lang
        and traced.target_lang = curves.target_lang
where curves.n_words > traced.n_words

union all

select
    traced.run_id,
    traced.source_lang,
    traced.target_lang,
    'classes do not add up at a threshold' as problem,
    sensitivity.threshold as place
from traced
inner join {{ ref('fct_threshold_sensitivity') }} as sensitivity
    on
        traced.run_id = sensitivity.run_id
        and traced.source_lang = sensitivity.source_lang
        and traced.target_lang = sensitivity.target_lang
where sensitivity.n_cooccurrence + sensitivity.n_pivot <> traced.n_judged
