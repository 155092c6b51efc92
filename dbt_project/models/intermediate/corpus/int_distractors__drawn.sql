-- One row per corpus, item, direction and distractor: the list's own, or words drawn by rule where it has none.

with

corpora as (

    select * from {{ ref('stg_corpora') }}

),

items as (

    select * from {{ ref('stg_translation_items') }}

),

words as (

    select distinct
        word_id,
        lang,
        word
    from {{ ref('stg_words') }}

),

-- two lists may hold the same item with other distractors
listed as (

    select
        item_id,
        source_lang,
        target_lang,
        word,
        min(candidate) as candidate
    from {{ ref('stg_distractors') }}
    group by item_id, source_lang, target_lang, word

),

directions as (

    select distinct
        sources.item_id,
        sources.lang as source_lang,
        targets.lang as target_lang,
        sources.word_id as source_word_id,
        targets.word_id as target_word_id
    from items as sources
    inner join items as targets
        on
            sources.item_id = targets.item_id
            and sources.lang <> targets.lang

),

directions_without as (

    select directions.*
    from directions
    left join listed
        on
            directions.item_id = listed.item_id
            and directions.source_lang = listed.source_lang
            and directions.target_lang = listed.target_lang
    where listed.item_id is null

),

-- how frequent a word is, in powers of two of its units; a corpus without counts has every word at 0
measured as (

    select
        corpora.corpus,
        words.word_id,
        words.lang,
        words.word,
        length(words.word) as n_chars,
        {{ power_of_two('coalesce(counted.n_docs, 0) + 1') }} as frequency_band
    from corpora
    cross join words
    left join {{ ref('int_words__counted') }} as counted
        on
            corpora.corpus = counted.corpus
            and words.word_id = counted.word_id

),

-- like words stand beside each other: only those near a word in this order are looked at, however long the list is
ordered as (

    select
        *,
        row_number() over (
            partition by corpus, lang
            order by frequency_band, n_chars, md5(cast(word_id as string)), word_id
        ) as place
    from measured

),

steps as (

    {{ integer_series('2 * ' ~ var('distractor_reach') ~ ' + 1', 'step') }}

),

offsets as (

    select step - {{ var('distractor_reach') }} - 1 as place_offset
    from steps
    where step <> {{ var('distractor_reach') }} + 1

),

near as (

    select
        directions_without.item_id,
        directions_without.source_lang,
        directions_without.target_lang,
        directions_without.target_word_id,
        own.corpus,
        own.word as own_word,
        own.frequency_band as own_frequency_band,
        own.n_chars as own_n_chars,
        own.place + offsets.place_offset as place
    from directions_without
    inner join ordered as own on directions_without.source_word_id = own.word_id
    cross join offsets

),

-- a word that translates the target too is no wrong word; of words that differ in case one is enough
wrong as (

    select
        near.corpus,
        near.item_id,
        near.source_lang,
        near.target_lang,
        others.word_id,
        others.word,
        abs(others.frequency_band - near.own_frequency_band) as band_distance,
        abs(others.n_chars - near.own_n_chars) as length_distance,
        row_number() over (
            partition by near.corpus, near.item_id, near.source_lang, near.target_lang, lower(others.word)
            order by others.word_id
        ) as spelling
    from near
    inner join ordered as others
        on
            near.corpus = others.corpus
            and near.source_lang = others.lang
            and near.place = others.place
    left join directions as also_right
        on
            near.target_word_id = also_right.target_word_id
            and near.source_lang = also_right.source_lang
            and others.word_id = also_right.source_word_id
    where
        lower(others.word) <> lower(near.own_word)
        and also_right.item_id is null

),

drawn as (

    select
        corpus,
        item_id,
        source_lang,
        target_lang,
        word,
        row_number() over (
            partition by corpus, item_id, source_lang, target_lang
            order by
                band_distance,
                length_distance,
                md5(concat(cast(item_id as string), ':', cast(word_id as string))),
                word_id
        ) as candidate
    from wrong
    where spelling = 1

),

numbered as (

    select
        corpora.corpus,
        listed.item_id,
        listed.source_lang,
        listed.target_lang,
        listed.word,
        row_number() over (
            partition by corpora.corpus, listed.item_id, listed.source_lang, listed.target_lang
            order by listed.candidate, listed.word
        ) as candidate
    from listed
    inner join directions
        on
            listed.item_id = directions.item_id
            and listed.source_lang = directions.source_lang
            and listed.target_lang = directions.target_lang
    cross join corpora

),

final as (

    select
        corpus,
        item_id,
        source_lang,
        target_lang,
        cast(candidate as int) as candidate,
        word,
        'list' as distractor_rule
    from numbered

    union all

    select
        corpus,
        item_id,
        source_lang,
        target_lang,
        cast(candidate as int) as candidate,
        word,
        '{{ distractor_rule() }}' as distractor_rule
    from drawn
    where candidate <= {{ var('n_distractors') }}

)

select * from final
