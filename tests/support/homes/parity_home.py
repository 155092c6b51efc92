"""Raw tables that fill every mart: random corpora with truth, an experiment, translations, and a slice of real text."""

import io
import shutil
from pathlib import Path

import zstandard

from support.corpora.evaluation_results import write_results
from support.corpora.infini_gram_rows import write_answers
from support.corpora.inside_rows import write_inside
from support.corpora.null_runs import write_null_experiments
from support.corpora.random_rows import N_ITEMS, make_corpora, word_id, write_corpus, write_vocabulary
from support.corpora.sentence_rows import write_sentences
from support.homes.raw_home import write_raw
from support.places import SHARED_DATA
from warehouse.base.settings import Home

REAL = "news"


def write_everything(home: Home, scratch: Path) -> None:
    """Write all of it. Several writers fill the same tables: each has a home of its own, brought together here."""
    write_vocabulary(home)
    corpora = make_corpora()
    for corpus in corpora:
        write_corpus(home, corpus)
    write_answers(home, corpora[0], run_id="local", seed=1, has_docs=True)
    write_answers(home, corpora[1], run_id="api", seed=2, has_docs=False)
    write_raw(home, "pivot_reviews", _reviews())
    experiment, inside, nulls, sentences, real = (
        Home(scratch / name) for name in ("experiment", "inside", "nulls", "sentences", "real")
    )
    write_results(experiment, seed=7)
    write_inside(inside, seed=9)
    write_null_experiments(nulls, 1, seed=3)
    write_sentences(sentences, seed=5)
    if SHARED_DATA.exists():
        _ingest_real(real, scratch)
    for other in (experiment, inside, nulls, sentences, real):
        _bring_in(other, home)


def _reviews() -> list[dict[str, str]]:
    """Return answers about some candidates of English and French words, some of which contradict each other."""
    statuses = ["accepted", "rejected", "unclear"]
    return [
        {"corpus": "balanced", "lang_a": "en", "word_a": f"w{word_id(item, 'en')}", "lang_b": "fr",
         "word_b": f"w{word_id(item, 'fr')}", "token": f"t{token}", "review_status": statuses[(item + token) % 3],
         "reviewer_kind": kind}
        for item in range(N_ITEMS)
        for token in range(2, 40, 3)
        for kind in (["manual", "openai"] if item % 2 else ["openai"])
    ]  # fmt: skip


def _bring_in(other: Home, home: Home) -> None:
    for path in (p for p in other.lake.rglob("*") if p.is_file() and "_empty" not in p.parts):
        place = home.lake / path.relative_to(other.lake)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place.with_name(f"{other.root.name}-{place.name}") if place.exists() else place)


def _ingest_real(home: Home, scratch: Path) -> None:
    """Ingest parallel news in four languages and one part of bilingual documentation, and count them."""
    from warehouse.counting.count import count_corpus
    from warehouse.ingest.corpus import ingest_corpus
    from warehouse.ingest.word_list import import_words

    words = scratch / "words.jsonl"
    words.write_text("".join(_first_lines(SHARED_DATA / "words" / "clwtd.jsonl.zst", 200)))
    documents = scratch / "documents"
    documents.mkdir()
    for name, n_documents in (("pud/en", 400), ("pud/fr", 400), ("pud/ja", 400), ("pud/zh", 400)):
        lines = _first_lines(SHARED_DATA / "corpora" / f"{name}.jsonl.zst", n_documents)
        (documents / f"{name.replace('/', '-')}.jsonl").write_text("".join(lines))
    bilingual = _first_lines(SHARED_DATA / "corpora" / "pydocs_bilingual" / "en-fr.jsonl.zst", 60)
    (documents / "pydocs-en-fr.jsonl").write_text("".join(bilingual))
    import_words(home, words)
    tokenizer = str(SHARED_DATA / "tokenizers" / "olmo.json")
    ingest_corpus(home, [documents], corpus=REAL, tokenizer=tokenizer)
    count_corpus(home, REAL)


def _first_lines(path: Path, n_lines: int) -> list[str]:
    with path.open("rb") as packed, zstandard.ZstdDecompressor().stream_reader(packed) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8")
        return [line for line, _ in zip(text, range(n_lines), strict=False)]
