-- Marts by hand: four concepts in four languages, five strategies, two seeds, five layers.

create or replace temp table concepts as
select * from (values
    (1, 'water', 'eau', '水', '水', 'judge'),
    (2, 'library', 'bibliothèque', '图书馆', '図書館', 'judge'),
    (3, 'bread', 'pain', '面包', 'パン', 'find'),
    (4, 'meaning', 'sens', '意思', '意味', 'find')
) t(item_id, en, fr, zh, ja, word_split);

create or replace temp table words as
unpivot (select item_id::bigint as item_id, word_split, en, fr, zh, ja from concepts) on en, fr, zh, ja into name lang value word;

create or replace temp table directions as
select
    s.item_id, s.word_split, s.lang as source_lang, t.lang as target_lang, s.word as source_word, t.word as target_word
from words s inner join words t on s.item_id = t.item_id and s.lang <> t.lang;

create or replace temp table vocabulary as
select i::integer as token_id, token, lang from (values
    (0, '<eos>', null), (1, ' river', 'en'), (2, ' drink', 'en'), (3, ' book', 'en'), (4, ' flour', 'en'),
    (5, ' sense', 'en'), (6, '人', 'zh'), (7, ' rivière', 'fr'), (8, '本', 'ja'), (9, ' (', null), (10, ' a', 'en'),
    (11, ' <b>', null)
) t(i, token, lang);

create or replace temp table strategies as
select * from (values
    ('original', 0.004), ('random_multilingual', 0.010), ('frequency_weighted_multilingual', 0.011),
    ('pivot_aware', 0.015), ('word_density', 0.019)
) t(strategy, gain);

create or replace table marts.dim_documents as
select
    'demo' as corpus, i::bigint as doc_id, ['en', 'en', 'en', 'fr', 'zh', 'ja'][1 + i % 6] as lang,
    (40 + 7 * i % 61)::integer as n_tokens, (160 + i)::bigint as n_chars, (180 + i)::bigint as n_bytes, 'planted' as source,
    'doc-' || i as source_id, 'documents/part-0.jsonl.zst' as source_file, (i + 1)::bigint as line_number,
    false as is_duplicate, i % 20 = 0 as is_held_out, true as is_eligible
from range(60) r(i);

create or replace table marts.dim_tokens as
select
    'demo' as corpus, token_id, token, if(lang in ('zh', 'ja'), 'Han', 'Latin') as script, token_id = 0 as is_special,
    false as is_blank, (3 * token_id)::bigint as n_docs, token_id / 20 as doc_rate, lang, if(lang is null, null, 0.8) as language_share
from vocabulary;

create or replace table marts.dim_strategies as
select
    strategy, if(strategy = 'original', 'natural', if(strategy = 'base', null, 'multilingual')) as share_scheme,
    if(strategy = 'pivot_aware', 'bridge', if(strategy = 'word_density', strategy, null)) as ranking,
    strategy in ('base', 'original', 'random_multilingual', 'word_density') as is_baseline,
    strategy = 'pivot_aware' as is_default, strategy = 'random_multilingual' as is_default_baseline,
    strategy = 'word_density' as is_exposure_control, null::varchar as variant_of, display_order::bigint as display_order,
    'What ' || strategy || ' takes.' as description
from (values ('base', 1), ('original', 2), ('random_multilingual', 3), ('frequency_weighted_multilingual', 4),
    ('pivot_aware', 5), ('word_density', 6)) t(strategy, display_order);

create or replace table marts.dim_score_methods as
select score_method, score_method = 'specific' as is_default, display_order::bigint as display_order, description
from (values
    ('specific', 1, '“Specific” also counts a token less that goes with many words as strongly.'),
    ('adjusted', 2, '“Adjusted” holds every count against documents of the same language and length.'),
    ('paper', 3, '“Paper” is the paper’s F, against one background for the whole corpus.')
) t(score_method, display_order, description);

create or replace table marts.fct_word_pair_cooccurrence as
select
    'demo' as corpus, item_id, word_split, source_lang, target_lang, source_word, target_word, 20::bigint as n_docs_source,
    16::bigint as n_docs_target, (item_id % 3)::bigint as n_docs_both, (item_id % 3) / 20 as cooccurrence_rate
from directions;

create or replace table marts.fct_pivot_candidates as
select
    'demo' as corpus, score_method, item_id, word_split, source_lang, target_lang, source_word, target_word, token_id, token,
    (10 - pivot_rank)::bigint as n_docs_source_token, (9 - pivot_rank)::bigint as n_docs_target_token,
    0.5 - 0.05 * pivot_rank as source_rate, 0.45 - 0.04 * pivot_rank as target_rate, 0.05 as background_rate,
    0.06 as expected_source_rate, 0.07 as expected_target_rate, 0.44 - 0.05 * pivot_rank as source_rate_difference,
    0.38 - 0.04 * pivot_rank as target_rate_difference,
    if(score_method = 'paper', 0.4, 6.0) / pivot_rank as pivot_score, pivot_rank, 'unreviewed' as review_status, true as is_kept
from directions
cross join (
    select
        score_method, token_id, token,
        row_number() over (
            partition by score_method order by if(score_method = 'paper', -token_id, token_id)
        ) as pivot_rank
    from vocabulary cross join (values ('paper'), ('adjusted'), ('specific')) m(score_method)
    where token_id > 0
);

create or replace table marts.fct_pivot_quality as
select
    'demo' as corpus, score_method, p.source_lang, p.target_lang, 'en' as pivot_lang, top_k, 40::bigint as n_pairs,
    least(0.9, base * ln(top_k + 1)) as recall, least(0.85, base * ln(top_k + 1)) as judge_recall, base as mean_reciprocal_rank,
    50::bigint as n_planted_pivots, least(1, 2 * base * ln(top_k)) as planted_recall, base / ln(top_k + 1) as planted_precision
from (select distinct source_lang, target_lang from directions where source_lang <> 'en' and target_lang <> 'en') p
cross join (values ('paper', 0.1), ('adjusted', 0.3), ('specific', 0.3)) m(score_method, base)
cross join (values (3), (10), (50)) k(top_k);

create or replace table marts.dim_pivot_tokens as
select
    'demo' as corpus, pivot_set, token_id, token, row_number() over (partition by pivot_set order by token_id) as rank,
    pivot_set = 'bridge' as is_default, (30 - token_id)::bigint as degree, 100.0 - token_id as weighted_degree, (10 - token_id // 2)::bigint as bridge_degree,
    (12 - token_id)::bigint as n_pairs, lang, (3 * token_id)::bigint as n_docs, token_id / 20 as doc_rate
from vocabulary cross join (values ('adjacency'), ('pairs'), ('bridge')) s(pivot_set)
where token_id between 1 and 8;

create or replace table marts.fct_token_neighbours as
select
    'demo' as corpus, graph, a.token_id, a.token, a.lang, b.token_id as neighbour_id, b.token as neighbour,
    b.lang as neighbour_lang, (50.0 - abs(a.token_id - b.token_id))::double as edge_weight,
    row_number() over (partition by graph, a.token_id order by abs(a.token_id - b.token_id), b.token_id) as neighbour_rank,
    row_number() over (
        partition by graph, a.token_id, b.lang order by abs(a.token_id - b.token_id), b.token_id
    ) as neighbour_rank_in_lang,
    5::bigint as n_docs_both, (3 * a.token_id)::bigint as n_docs, (3 * b.token_id)::bigint as neighbour_n_docs
from vocabulary a cross join vocabulary b cross join (values ('adjacency'), ('bridge')) g(graph)
where a.token_id <> b.token_id and a.token_id > 0 and b.token_id > 0
qualify neighbour_rank <= 6;

create or replace table marts.fct_document_rankings as
select
    corpus, pivot_set, doc_id, lang, n_tokens, (1 + doc_id % 7)::bigint as n_pivot_tokens, (1 + doc_id % 7) / n_tokens as pivot_density,
    (2 + doc_id % 7) / (n_tokens + 10) as smoothed_density,
    row_number() over (partition by pivot_set, lang order by (1 + doc_id % 7) / n_tokens desc, doc_id) as density_rank_in_lang,
    row_number() over (partition by pivot_set, lang order by (2 + doc_id % 7) / (n_tokens + 10) desc, doc_id) as smoothed_rank_in_lang
from marts.dim_documents cross join (values ('adjacency'), ('pairs'), ('bridge')) s(pivot_set);

create or replace table marts.fct_selected_documents as
select
    corpus, strategy, doc_id, lang, n_tokens,
    row_number() over (partition by strategy order by md5(strategy || doc_id)) as selection_rank,
    row_number() over (partition by strategy, lang order by md5(strategy || doc_id)) as rank_in_lang,
    (sum(n_tokens) over (partition by strategy, lang order by md5(strategy || doc_id)))::bigint * 4 as min_budget_tokens
from marts.dim_documents cross join strategies
qualify rank_in_lang <= 5;

create or replace table marts.fct_selection_summary as
select
    corpus, strategy, lang, 1200::bigint as budget_tokens, count(*) as n_docs, sum(n_tokens)::bigint as n_tokens,
    sum(n_tokens) / sum(sum(n_tokens)) over (partition by strategy) as token_share,
    if(strategy = 'original', null, 0.25) as target_share, avg(0.02 + 0.01 * length(strategy) / 10) as mean_pivot_density,
    avg(0.01 + 0.01 * length(strategy) / 10) as mean_planted_pivot_density, 0.05 as mean_word_density
from marts.fct_selected_documents
group by corpus, strategy, lang;

create or replace table marts.fct_selection_overlap as
select
    'demo' as corpus, a.strategy as strategy_a, b.strategy as strategy_b, 4::bigint as n_docs_both, 200::bigint as n_tokens_both,
    0.2 as token_share_of_a, 0.25 as token_share_of_b
from strategies a inner join strategies b on a.strategy < b.strategy;

create or replace temp table arms as
select
    'score-' || strategy || '-' || seed as run_id, 'trace-' || strategy || '-' || seed as trace_id, 'held_out-' || strategy || '-' || seed
    as held_out_id, 'experiment-1' as experiment, strategy, gain, if(strategy = 'base', null, seed)::bigint as seed,
    'model-' || strategy || '-' || seed as model_id, 'demo' as corpus
from (
    select * from strategies where strategy <> 'frequency_weighted_multilingual'
    union all
    select 'base' as strategy, 0.0 as gain
)
cross join range(2) s(seed)
where strategy <> 'base' or seed = 0;

create or replace temp table splits as
select 'judge' as word_split union all select 'find' union all select 'all';

create or replace temp table routes as
select distinct source_lang, target_lang from directions union all select 'all', 'all';

create or replace table marts.fct_item_scores as
select
    arms.run_id, item_id, source_lang, target_lang, corpus, experiment, strategy, seed, model_id, source_word, target_word,
    word_split, 5::bigint as n_draws, 9::bigint as n_distractors, 0.1 + gain as p_right, 0.05 as p_distractors,
    0.05 + gain * (1 + item_id % 3) as score, 0.04 + gain as score_without_space, (1 + item_id % 4)::integer as right_rank,
    0.1 as chance_rate, ln(0.3 + gain) as normalised_log_p, 0.2 + gain as margin, 3.5 - gain as bits_per_byte
from arms cross join directions;

create or replace table marts.fct_translation_scores as
select
    run_id, source_lang, target_lang, word_split, corpus, experiment, strategy, seed, model_id, 2::bigint as n_items,
    if(source_lang = 'all', 12, 1)::bigint as n_pairs, 0.02 + gain + 0.001 * coalesce(seed, 0) as score, 0.015 + gain as ci_low,
    0.027 + gain as ci_high, 0.021 + gain as score_without_space, 0.2 + 5 * gain as first_rank_rate, 0.1 as chance_rate
from arms cross join routes cross join splits;

create or replace table marts.fct_strategy_scores as
select
    experiment, strategy, source_lang, target_lang, word_split, count(*) as n_runs, avg(score)::double as score,
    avg(first_rank_rate)::double as first_rank_rate
from marts.fct_translation_scores
group by all;

create or replace table marts.fct_strategy_comparison as
select
    *,
    case
        when ci_low > 0 and seed_ci_low > 0 then 'better' when ci_high < 0 and seed_ci_high < 0 then 'worse'
        when ci_low > 0 then 'leaning_better' when ci_high < 0 then 'leaning_worse' else 'no_clear_difference'
    end as verdict,
    if(ci_low > 0, false, null) as is_beyond_exposure
from (select
    'experiment-1' as experiment, s.strategy, b.strategy as baseline, source_lang, target_lang, word_split,
    s.gain - b.gain as score_delta, s.gain - b.gain - 0.003 as ci_low, s.gain - b.gain + 0.003 as ci_high,
    if(abs(s.gain - b.gain) < 0.003, 0.4, 0.01) as p_value, 2::bigint as n_seeds, if(s.gain > b.gain, 2, 0)::bigint as n_seeds_above,
    s.gain - b.gain - 0.006 as seed_ci_low, s.gain - b.gain + 0.006 as seed_ci_high, 2::bigint as n_items,
    0.02 + s.gain as score, 0.02 + b.gain as baseline_score, s.gain - b.gain - 0.006 as crossed_ci_low,
    s.gain - b.gain + 0.006 as crossed_ci_high, if(abs(s.gain - b.gain) < 0.003, 0.8, 0.02) as p_value_holm, false as is_equivalent,
    0.0124 as detectable_effect, 17::bigint as n_seeds_needed
from (select distinct strategy, gain from arms) s inner join (select distinct strategy, gain from arms) b on s.strategy <> b.strategy
cross join routes cross join splits);

create or replace table marts.fct_strategy_comparison_by_class as
select
    experiment, strategy, baseline, 'kind' as word_class, kind as class_value, word_split, score_delta, ci_low, ci_high,
    p_value, n_seeds, n_items, n_items * 12 as n_scored, score, baseline_score, crossed_ci_low, crossed_ci_high
from marts.fct_strategy_comparison
cross join (values ('direct'), ('pivot'), ('unlinked')) kinds (kind)
where source_lang = 'all';

create or replace table marts.fct_behaviours as
select
    trace_id as run_id, item_id, source_lang, target_lang, corpus, experiment, strategy, seed, model_id,
    if(item_id = 1 and source_lang = 'zh', 'excluded', if(item_id % 2 = 0, 'pivot', 'cooccurrence')) as behaviour,
    3 as peak_layer, 5 as top_token_id, ' sense' as top_token, 0.3 as p_top, true as is_top_pivot, 4 as final_layer,
    target_word as final_token, true as is_final_target, 'pivot' as behaviour_by_threshold, 2 as threshold_layer, 0.2 as max_p_elsewhere
from arms cross join directions;

create or replace table marts.fct_behaviour_auc as
select
    trace_id as run_id, source_lang, target_lang, definition, corpus, experiment, strategy, seed, model_id,
    definition as behaviour_definition, 'pair_count' as predictor, 0.58 as auc, 0.49 as ci_low, 0.66 as ci_high,
    2::bigint as n_cooccurrence, 2::bigint as n_pivot
from arms cross join routes
cross join (values ('peak'), ('threshold')) d(definition);

create or replace table marts.fct_behaviour_roc as
select
    trace_id as run_id, definition, min_docs_both, true_positive_rate, false_positive_rate, 2::bigint as n_cooccurrence,
    2::bigint as n_pivot
from arms
cross join (values ('peak'), ('threshold')) d(definition)
cross join (values (2::bigint, 0.5, 0.0), (1::bigint, 0.5, 0.5), (0::bigint, 1.0, 1.0))
    c(min_docs_both, true_positive_rate, false_positive_rate);

create or replace table marts.fct_pivot_layer_curves as
select
    trace_id as run_id, source_lang, target_lang, behaviour, layer::integer as layer,
    [0.0, 0.01, 0.03, 0.02, 0.005][layer + 1] + gain * layer / 4 as p_pivot, 0.002 * layer as p_control, 0.01 * layer as p_source,
    0.005 * layer * layer as p_target, 0.1 * layer as p_top, 5.0 - layer as entropy, 2::bigint as n_items,
    2::bigint as n_items_with_pivots, layer > 0 as is_read
from arms cross join routes
cross join (values ('pivot'), ('cooccurrence'), ('all')) b(behaviour) cross join range(5) l(layer);

create or replace table marts.fct_strategy_layer_curves as
select
    'experiment-1' as experiment, strategy, source_lang, target_lang, behaviour, layer, avg(p_pivot)::double as p_pivot,
    avg(p_control)::double as p_control, avg(p_source)::double as p_source, avg(p_target)::double as p_target,
    sum(n_items)::bigint as n_items, count(*) as n_runs, bool_and(is_read) as is_read
from marts.fct_pivot_layer_curves curves inner join arms on curves.run_id = trace_id
group by all;

create or replace table marts.fct_behaviour_shares as
select
    experiment, strategy, shared_docs, behaviour, min_docs_both, count(*) as n_words, count(distinct run_id) as n_runs,
    count(*) / sum(count(*)) over (partition by experiment, strategy, shared_docs) as share
from (
    select experiment, strategy, run_id, behaviour, 'all' as shared_docs, null::bigint as min_docs_both from marts.fct_behaviours
    union all
    select
        experiment, strategy, run_id, behaviour, if(n_docs_both = 0, '0', '1-9') as shared_docs, least(n_docs_both, 1) as min_docs_both
    from marts.fct_behaviours
    inner join marts.fct_word_pair_cooccurrence using (corpus, item_id, source_lang, target_lang)
)
group by experiment, strategy, shared_docs, behaviour, min_docs_both;

create or replace table marts.fct_failure_signatures as
select
    trace_id as run_id, signature, 'trace' as kind, experiment, strategy, seed, model_id, status, value, 0.05 as threshold, explanation
from arms cross join (values
    ('auc_near_half', 'flagged', 0.01, 'Below the threshold co-occurrence does not predict the behaviour.'),
    ('pivot_curve_flat', 'ok', 0.1, 'Below the threshold the pivots play no visible part.'),
    ('forgetting_fr', 'not_applicable', null, 'Above the threshold training cost the model that language.')
) s(signature, status, value, explanation);

create or replace table marts.fct_held_out_losses as
select
    held_out_id as run_id, lang, corpus, experiment, strategy, seed, model_id, 5::bigint as n_docs, 300::bigint as n_tokens,
    900::bigint as n_bytes, 4.0 - gain as loss, 1.9 - gain as bits_per_byte, -gain as loss_delta, -gain / 2 as bits_per_byte_delta
from arms cross join (values ('en'), ('fr'), ('zh'), ('ja')) l(lang);

create or replace table marts.fct_threshold_sensitivity as
select
    trace_id as run_id, source_lang, target_lang, threshold, 2::bigint as n_cooccurrence, 2::bigint as n_pivot, 0.55 as auc,
    1 - threshold as agreement
from arms cross join routes cross join (values (0.05), (0.1), (0.2)) t(threshold);

-- what leaves out rows that sum up others, and comparisons that are there twice
alter table marts.fct_translation_scores add column is_summary boolean;
update marts.fct_translation_scores set is_summary = source_lang = 'all' or word_split = 'all';
alter table marts.fct_strategy_scores add column is_summary boolean;
update marts.fct_strategy_scores set is_summary = source_lang = 'all' or word_split = 'all';
alter table marts.fct_strategy_comparison add column is_summary boolean;
update marts.fct_strategy_comparison set is_summary = source_lang = 'all' or word_split = 'all';
alter table marts.fct_strategy_comparison_by_class add column is_summary boolean;
update marts.fct_strategy_comparison_by_class set is_summary = word_split = 'all';
alter table marts.fct_behaviour_auc add column is_summary boolean;
update marts.fct_behaviour_auc set is_summary = source_lang = 'all';
alter table marts.fct_pivot_layer_curves add column is_summary boolean;
update marts.fct_pivot_layer_curves set is_summary = source_lang = 'all';
alter table marts.fct_strategy_layer_curves add column is_summary boolean;
update marts.fct_strategy_layer_curves set is_summary = source_lang = 'all';
alter table marts.fct_behaviour_shares add column is_summary boolean;
update marts.fct_behaviour_shares set is_summary = shared_docs = 'all';
alter table marts.fct_threshold_sensitivity add column is_summary boolean;
update marts.fct_threshold_sensitivity set is_summary = source_lang = 'all';
alter table marts.fct_strategy_comparison add column is_mirrored boolean;
update marts.fct_strategy_comparison set is_mirrored = false;
alter table marts.fct_strategy_comparison_by_class add column is_mirrored boolean;
update marts.fct_strategy_comparison_by_class set is_mirrored = false;
