-- One row per corpus with features of the target of DSIR and document: a draw without replacement by importance.
-- DSIR, arXiv 2302.03169: the largest log importance + Gumbel noise first; the importance of a document is the product
-- of its features'.

with

weights as (

    select * from {{ ref('int_feature_weights__estimated') }}

),

features as (

    select
        corpus,
        doc_id,
        {{ unnest_features('token_ids', 'bucket') }}
    from {{ ref('stg_document_tokens') }}
    {% if var('dsir_target') == 'none' %}where false{% endif %}

),

importances as (

    select
        features.corpus,
        features.doc_id,
        cast(sum(weights.weight_millionths) as double) / 1000000 as log_importance
    from features
    inner join weights
        on
            features.corpus = weights.corpus
            and features.bucket = weights.bucket
    group by features.corpus, features.doc_id

),

drawn as (

    select
        corpus,
        doc_id,
        log_importance,
        1 - {{ hash_unit('doc_id', 'dsir:' ~ var('selection_seed')) }} as uniform_draw
    from importances

),

final as (

    select
        corpus,
        doc_id,
        {{ rounded('ln(greatest(-ln(uniform_draw), 1e-300)) - log_importance', 9) }} as sort_key
    from drawn

)

select * from final
