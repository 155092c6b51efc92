-- One row per corpus, item, direction and word class: the classes that scores and comparisons are cut by.
with

cooccurrence as (

    select * from {{ ref('int_word_pairs__directed') }}

),

concepts as (

    select * from {{ ref('stg_planted_concepts') }}

),

pair_resources as (

    select * from {{ ref('int_directions__graded') }}

),

planted as (

    select
        cooccurrence.corpus,
        cooccurrence.item_id,
        cooccurrence.source_lang,
        cooccurrence.target_lang,
        concepts.kind,
        concepts.role
    from cooccurrence
    inner join concepts
        on
            cooccurrence.corpus = concepts.corpus
            and cooccurrence.item_id = concepts.item_id

),

final as (

    select
        corpus,
        item_id,
        source_lang,
        target_lang,
        'kind' as word_class,
        kind as class_value
    from planted

    union all

    select
        corpus,
        item_id,
        source_lang,
        target_lang,
        'role' as word_class,
        role as class_value
    from planted

    union all

    select
        corpus,
        item_id,
        source_lang,
        target_lang,
        'shared_docs' as word_class,
        {{ count_band('n_docs_both') }} as class_value
    from cooccurrence

    union all

    select
        corpus,
        item_id,
        source_lang,
        target_lang,
        'target_docs' as word_class,
        {{ count_band('n_docs_target') }} as class_value
    from cooccurrence

    union all

    select
        corpus,
        item_id,
        source_lang,
        target_lang,
        'pair' as word_class,
        concat(least(source_lang, target_lang), '-', greatest(source_lang, target_lang)) as class_value
    from cooccurrence

    union all

    select
        cooccurrence.corpus,
        cooccurrence.item_id,
        cooccurrence.source_lang,
        cooccurrence.target_lang,
        'resource' as word_class,
        pair_resources.resource_level as class_value
    from cooccurrence
    inner join pair_resources
        on
            cooccurrence.corpus = pair_resources.corpus
            and cooccurrence.source_lang = pair_resources.source_lang
            and cooccurrence.target_lang = pair_resources.target_lang

)

select * from final
