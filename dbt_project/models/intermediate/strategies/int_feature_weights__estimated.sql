-- One row per corpus and bucket of hashed features that occurs in it: how much likelier the target is to hold the
-- feature than the corpus. Features are tokens and pairs of neighbouring tokens (DSIR, arXiv 2302.03169, with token ids
-- for words). The target is the documents of the corpus whose kind is var dsir_target, or all documents of the corpus
-- of that name.
{{ config(materialized='table') }}
{% set target = var('dsir_target') %}

with

documents as (

    select * from {{ ref('int_document_kinds__classified') }}
    where {{ 'false' if target == 'none' else 'is_eligible' }}

),

features as (

    select
        corpus,
        doc_id,
        {{ unnest_features('token_ids', 'bucket') }}
    from {{ ref('stg_document_tokens') }}
    {% if target == 'none' %}where false{% endif %}

),

counted as (

    select
        documents.corpus,
        documents.document_kind,
        features.bucket,
        count(*) as n_features
    from features
    inner join documents
        on
            features.corpus = documents.corpus
            and features.doc_id = documents.doc_id
    group by documents.corpus, documents.document_kind, features.bucket

),

corpora as (

    select distinct corpus from counted

),

raw_features as (

    select
        corpus,
        bucket,
        sum(n_features) as n_features
    from counted
    group by corpus, bucket

),

target_features as (

    select
        corpora.corpus,
        counted.bucket,
        sum(counted.n_features) as n_features
    from counted
    inner join corpora
        on
            (counted.corpus = corpora.corpus and counted.document_kind = '{{ target }}')
            or counted.corpus = '{{ target }}'
    group by corpora.corpus, counted.bucket

),

totals as (

    select
        corpus,
        sum(n_features) as n_features
    from raw_features
    group by corpus

),

target_totals as (

    select
        corpus,
        sum(n_features) as n_features
    from target_features
    group by corpus

),

-- one more of every bucket on both sides; whole millionths, so that sums don't depend on the order of rows
final as (

    select
        raw_features.corpus,
        raw_features.bucket,
        cast(round(1.0e6 * (
            ln(
                (coalesce(target_features.n_features, 0) + 1.0e0)
                / (target_totals.n_features + {{ var('dsir_buckets') }})
            )
            - ln((raw_features.n_features + 1.0e0) / (totals.n_features + {{ var('dsir_buckets') }}))
        )) as bigint) as weight_millionths
    from raw_features
    inner join totals on raw_features.corpus = totals.corpus
    inner join target_totals on raw_features.corpus = target_totals.corpus
    left join target_features
        on
            raw_features.corpus = target_features.corpus
            and raw_features.bucket = target_features.bucket

)

select * from final
