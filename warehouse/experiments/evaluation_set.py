"""What a model is judged on, as files: items, candidates and each pair's pivots, for `ml` to read."""

import json
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.build import build_record
from warehouse.contract.atomic import atomic_folder, remove_unfinished
from warehouse.contract.folders import (
    CANDIDATES,
    EVALUATION_SET,
    ITEMS,
    MANIFEST,
    PIVOTS,
    TOPICS,
    EvaluationSetManifest,
)
from warehouse.contract.hashing import short_hash
from warehouse.lake.connections import open_writer, writer_lock
from warehouse.lake.corpora import copy_tokenizer, find_corpus
from warehouse.lake.raw_views import refresh_raw_views

# Any prefix of the items is a fair sample: they are ordered by a hash of their identity. Planted concepts of role
# `train` stand in glossaries in the very format of the prompt: they serve as shots, and to score them measures memory.
_SCORED_ITEMS = """
    create temporary table scored_items as
    select item_id
    from (select distinct item_id from raw.translation_items)
    where item_id not in (select item_id from raw.planted_concepts where corpus = ? and role = 'train')
    order by md5(cast(item_id as varchar)), item_id
    limit {limit}
"""

_ITEMS = """
    select distinct i.item_id, i.lang, w.word
    from raw.translation_items as i
    inner join (select distinct word_id, word from raw.words) as w using (word_id)
    order by all
"""

_CANDIDATES = """
    with words as (
        select distinct i.item_id, i.lang, w.word
        from raw.translation_items as i
        inner join scored_items using (item_id)
        inner join (select distinct word_id, word from raw.words) as w using (word_id)
    ),

    right_words as (
        select s.item_id, s.lang as source_lang, t.lang as target_lang, cast(0 as integer) as candidate, s.word
        from words as s
        inner join words as t on s.item_id = t.item_id and s.lang != t.lang
    )

    select * from right_words
    union all
    select d.item_id, d.source_lang, d.target_lang, d.candidate, d.word
    from marts.fct_distractors as d
    inner join right_words as r using (item_id, source_lang, target_lang)
    where d.corpus = $corpus
    order by item_id, source_lang, target_lang, candidate
"""

_DRAWN = """
    select distractor_rule, count(*) as n_distractors
    from marts.fct_distractors
    inner join scored_items using (item_id)
    where corpus = $corpus and distractor_rule != 'list'
    group by all
"""

_PIVOTS = """
    select item_id, source_lang, target_lang, token_id, cast(pivot_rank as integer) as pivot_rank
    from marts.fct_pivot_candidates
    inner join scored_items using (item_id)
    inner join marts.dim_score_methods using (score_method)
    where corpus = ? and is_default and pivot_rank <= ? and is_kept
    order by item_id, source_lang, target_lang, pivot_rank
"""

_TOPICS = """
    select distinct item_id, cast(topic as varchar) as topic
    from raw.planted_concepts
    inner join scored_items using (item_id)
    where corpus = ? and topic is not null
    order by item_id
"""


@dataclass(frozen=True)
class EvaluationSet:
    """Where an evaluation set lies and what its manifest says."""

    folder: Path
    manifest: EvaluationSetManifest


def export_evaluation_set(home: Home, *, corpus: str, n_items: int | None = None, n_pivots: int = 10) -> EvaluationSet:
    """Write the items, candidates and pivots that models are evaluated on, as `exports/eval-<hash>/`.

    Args:
        n_items: score at most N items (a seeded sample); None scores all. Shots come from all items either way,
            and planted training concepts are never scored.
        n_pivots: the best N kept pivot candidates of each pair, by the default score.

    Raises:
        UsageError: no word list is imported, or the marts are not built from it.
    """
    with writer_lock(home), open_writer(home) as connection:
        refresh_raw_views(home, connection)
        connection.execute(_SCORED_ITEMS.format(limit=n_items if n_items is not None else "all"), [corpus])
        tables = {
            ITEMS: connection.execute(_ITEMS).to_arrow_table(),
            TOPICS: connection.execute(_TOPICS, [corpus]).to_arrow_table(),
        }
        if not connection.execute("from scored_items limit 1").fetchone():
            raise UsageError("no translation items: run `pivots words import FILE` first")
        # of words that were imported after the build the marts hold no distractor: their scores would be NULL
        if build_record.built_state(home) and "translation_items" in build_record.changed_since_build(home):
            raise UsageError("the word list has changed since the last build: run `pivots count`, then `pivots build`")
        try:
            drawn = connection.execute(_DRAWN, {"corpus": corpus}).fetchone()
            tables[CANDIDATES] = connection.execute(_CANDIDATES, {"corpus": corpus}).to_arrow_table()
            tables[PIVOTS] = connection.execute(_PIVOTS, [corpus, n_pivots]).to_arrow_table()
        except duckdb.CatalogException:
            raise UsageError("the marts are not built yet: run `pivots build` first") from None
        content = {name.removesuffix(".parquet"): short_hash(table.to_pylist()) for name, table in tables.items()}
        tokenizer_hash = find_corpus(home, corpus).tokenizer_hash
        set_id = f"eval-{short_hash([corpus, tokenizer_hash, content])}"
        folder = home.exports / set_id
        manifest: EvaluationSetManifest = {
            "eval_set_id": set_id,
            "corpus": corpus,
            "tokenizer_hash": tokenizer_hash,  # of the pivots' token ids
            "n_items": len(set(tables[CANDIDATES]["item_id"].to_pylist())),
            "languages": sorted(set(tables[ITEMS]["lang"].to_pylist())),
            "n_pivots": n_pivots,
            "content": content,
        }
        if drawn is not None:
            manifest["distractor_rule"], manifest["n_drawn_distractors"] = drawn
        remove_unfinished(home.exports)
        if not folder.exists():
            with atomic_folder(folder) as unfinished:
                for name, table in tables.items():
                    pq.write_table(table.cast(EVALUATION_SET[name]), unfinished / name, compression="zstd")
                copy_tokenizer(home, tokenizer_hash, unfinished)
                (unfinished / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")
    return EvaluationSet(folder, manifest)
