"""Folders that pass between the rooms: what lies in them under which name, and which kinds of runs there are.

* export:          manifest.json (`ExportManifest`), tokenizer.json, per shard a token file and its `DOCUMENT_SPANS`
* evaluation set:  manifest.json (`EvaluationSetManifest`), tokenizer.json, the tables of `EVALUATION_SET`
* sentence set:    manifest.json (`SentenceSetManifest`), tokenizer.json, sentences.parquet
* run:             request.json (what was asked), results/<table>.parquet, run.json (written last); a training's model/
"""

from dataclasses import dataclass
from typing import Annotated, Literal, NotRequired

import pyarrow as pa
from pydantic import Field, StringConstraints
from typing_extensions import TypedDict  # pydantic checks those of `typing` from Python 3.12 on

MANIFEST = "manifest.json"
TOKENIZER = "tokenizer.json"
ITEMS, CANDIDATES, PIVOTS, TOPICS = "items.parquet", "candidates.parquet", "pivots.parquet", "topics.parquet"
SENTENCES = "sentences.parquet"
REQUEST = "request.json"
RUN_RECORD = "run.json"
PROGRESS = "progress.json"
RESULTS = "results"
MODEL = "model"
MODELS = "models"  # of a training that keeps models on its way: step00000100 ..., each with its TRAINING_PLACE
TRAINING_PLACE = "training_place.json"  # beside a kept model: step, n_tokens_seen
MODEL_CACHE = "PIVOTS_MODEL_CACHE"  # the environment variable that says where models made of other files are kept

# One row per document of an export's shard.
DOCUMENT_SPANS = pa.schema(
    [
        ("doc_id", pa.int64()),
        ("lang", pa.string()),
        ("start", pa.int64()),  # offsets in the shard's tokens; [start, end) includes the separator
        ("end", pa.int64()),
        ("n_bytes", pa.int64()),
    ]
)

_DIRECTION = [("item_id", pa.int64()), ("source_lang", pa.string()), ("target_lang", pa.string())]
EVALUATION_SET: dict[str, pa.Schema] = {
    # One row per item and language, items that are only examples included.
    ITEMS: pa.schema([("item_id", pa.int64()), ("lang", pa.string()), ("word", pa.string())]),
    # One row per scored item, direction and candidate source word; candidate 0 is the right one.
    CANDIDATES: pa.schema([*_DIRECTION, ("candidate", pa.int32()), ("word", pa.string())]),
    # One row per scored item, direction and pivot, rank 1 the best.
    PIVOTS: pa.schema([*_DIRECTION, ("token_id", pa.int32()), ("pivot_rank", pa.int32())]),
    # One row per scored item whose topic is known, which it is on planted corpora.
    TOPICS: pa.schema([("item_id", pa.int64()), ("topic", pa.string())]),
}

# One row per sentence and language that has a text for it.
SENTENCE_TEXTS = pa.schema(
    [("sentence_id", pa.int64()), ("lang", pa.string()), ("text", pa.string()), ("is_scored", pa.bool_())]
)


# A file beside the manifest: no way out of its folder.
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
Count = Annotated[int, Field(ge=0)]
TokenType = Literal["uint16", "uint32"]


class ShardManifest(TypedDict):
    """One part of an export."""

    tokens: FileName  # little-endian ids without a header, as OLMo has them
    documents: FileName  # DOCUMENT_SPANS
    n_docs: Count
    n_tokens: Count  # separators included
    blake2b: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{2}){1,64}$")]  # of the token file


class ExportManifest(TypedDict):
    """What an export folder holds."""

    export_id: str
    corpus: str
    strategy: str
    budget_tokens: int | None  # of documents, separators not counted; None: no limit
    tokenizer_hash: str
    eos_token_id: int  # the separator behind every document
    dtype: TokenType  # of the token files
    n_docs: Count
    n_tokens: Count  # separators included
    tokens_by_lang: dict[str, int]
    shards: list[ShardManifest]


class EvaluationSetManifest(TypedDict):
    """What an evaluation set folder holds."""

    eval_set_id: str
    corpus: str
    tokenizer_hash: str  # of the pivots' token ids
    n_items: int  # scored ones
    languages: list[str]
    n_pivots: int  # at most, per item and direction
    content: dict[str, str]  # table -> hash of its rows
    distractor_rule: NotRequired[str]  # by which distractors were drawn, where the list has none
    n_drawn_distractors: NotRequired[int]


class SentenceSetManifest(TypedDict):
    """What a sentence set folder holds."""

    sentence_set_id: str
    corpus: str
    source: str  # name of the file or folder that the sentences were read from
    tokenizer_hash: str
    languages: list[str]
    n_sentences: int  # scored ones
    n_texts_by_lang: dict[str, int]


@dataclass(frozen=True)
class RunKind:
    """A kind of run: who does it, what it writes, and what becomes of that."""

    tables: tuple[str, ...]  # raw tables that it writes
    feeds_marts: bool  # marts are built from them
    is_ml: bool = False  # a program of `ml` did it, in a folder of its own below <home>/runs
    keeps_folder: bool = False  # the folder holds more than its results, which are in the lake: the trained model


RUN_KINDS: dict[str, RunKind] = {
    "ingest": RunKind(
        ("source_files", "documents", "word_documents", "rejects", "corpora", "tokens", "superseded_documents"),
        feeds_marts=True,
    ),
    "words": RunKind(
        ("words", "word_token_forms", "translation_items", "distractors", "word_documents", "rejects"),
        feeds_marts=True,
    ),
    "count": RunKind(
        ("counts", "strata", "token_documents", "word_strata", "word_pairs", "word_tokens", "token_pairs"),
        feeds_marts=True,
    ),
    "infini_gram": RunKind(("infini_gram_counts",), feeds_marts=True),
    "review": RunKind(("pivot_reviews",), feeds_marts=True),
    "export": RunKind(("exports",), feeds_marts=False),
    "train": RunKind(("training_steps", "training_reads"), feeds_marts=True, is_ml=True, keeps_folder=True),
    "score": RunKind(("word_scores", "prompts"), feeds_marts=True, is_ml=True),
    "sentences": RunKind(("sentence_scores", "sentence_ngrams"), feeds_marts=True, is_ml=True),
    "trace": RunKind(("layer_traces", "layer_words"), feeds_marts=True, is_ml=True),
    "intervene": RunKind(("interventions",), feeds_marts=True, is_ml=True),
    "held_out": RunKind(("held_out_losses",), feeds_marts=True, is_ml=True),
    "prompt_lens": RunKind(("prompt_lenses",), feeds_marts=False, is_ml=True),
}
EVALUATIONS = tuple(kind for kind, about in RUN_KINDS.items() if about.is_ml and not about.keeps_folder)
