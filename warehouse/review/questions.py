"""Review of pivot candidates: ask a person or a model which tokens stand between two words, and keep the answers.

A question is a word pair with its best unreviewed candidates. Every answer is one small file, named by who was asked
what: an interrupted review goes on where it stopped, and nobody is asked the same twice. What counts is decided in dbt
(`int_pivot_reviews__settled`): the seed that a person edits, then manual rows, then models.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import pyarrow as pa

from warehouse.base.settings import Home
from warehouse.contract.hashing import short_hash
from warehouse.lake.connections import open_published, writer_lock
from warehouse.lake.files import current_count, write_table
from warehouse.lake.runs import Run
from warehouse.lake.schemas import SHARDED

ACCEPTED, REJECTED, UNCLEAR = "accepted", "rejected", "unclear"

_CANDIDATES = """
    select source_lang, source_word, target_lang, target_word, token
    from marts.fct_pivot_candidates
    inner join marts.dim_score_methods using (score_method)
    where
        corpus = ? and is_default and pivot_rank <= ? and review_status = 'unreviewed'
        and source_lang < target_lang
        and coalesce(? in (source_lang, target_lang), true) and coalesce(? in (source_lang, target_lang), true)
    order by
        md5(concat(item_id, source_lang, target_lang)),
        item_id, source_lang, target_lang, source_word, target_word, pivot_rank
"""

_PROMPT = """A language model may translate a word through a third token that stands near both words, such as a name, \
a technical term or a word of another language with the same meaning.
Word in language '{lang_a}': {word_a}
Word in language '{lang_b}': {word_b}
Candidates:
{candidates}
Which of them are related in meaning to both words? Pieces of words, punctuation and words found everywhere are not.
Answer with a JSON list of their numbers only, such as [1, 3] or []."""


@dataclass(frozen=True)
class Question:
    """A word pair, in the order of its languages, and its candidates, best first."""

    lang_a: str
    word_a: str
    lang_b: str
    word_b: str
    tokens: tuple[str, ...]

    @property
    def prompt(self) -> str:
        """The question in words; candidates are numbered from 1 and quoted, since a leading space matters."""
        candidates = "\n".join(
            f"{number}. {json.dumps(token, ensure_ascii=False)}" for number, token in enumerate(self.tokens, start=1)
        )
        return _PROMPT.format(
            lang_a=self.lang_a, word_a=self.word_a, lang_b=self.lang_b, word_b=self.word_b, candidates=candidates
        )


@dataclass(frozen=True)
class Reviewer:
    """Who is asked. `ask` yields an answer per question, in order; it may stop early (a person who has had enough)."""

    kind: str  # manual, openai, transformers
    name: str
    ask: Callable[[list[Question]], Iterable[str]]


def open_questions(
    home: Home, corpus: str, *, top: int, source_lang: str | None = None, target_lang: str | None = None
) -> list[Question]:
    """Return word pairs with unreviewed candidates among their best `top`, in an order that any prefix samples fairly.

    Raises:
        UsageError: nothing is published.
    """
    with open_published(home) as connection:
        rows = connection.execute(_CANDIDATES, [corpus, top, source_lang, target_lang]).fetchall()
    return [
        Question(lang_a, word_a, lang_b, word_b, tuple(dict.fromkeys(row[4] for row in group)))
        for (lang_a, word_a, lang_b, word_b), group in groupby(rows, key=lambda row: row[:4])
    ]


def review(home: Home, corpus: str, reviewer: Reviewer, questions: list[Question], *, limit: int) -> Iterator[pa.Table]:
    """Ask what this reviewer has not answered yet, at most `limit` questions; yield each answer's rows once kept."""
    run = Run(
        kind="review",
        corpus=corpus,
        config={"reviewer_kind": reviewer.kind, "reviewer": reviewer.name, "prompt": short_hash(_PROMPT)},
        inputs={"count": current_count(home, corpus) or ""},
    )
    unasked = [question for question in questions if not _file_of(home, corpus, reviewer, question).exists()][:limit]
    # not strict: a reviewer may stop early
    for question, answer in zip(unasked, reviewer.ask(unasked), strict=False):
        statuses = read_answer(answer, n_candidates=len(question.tokens))
        rows = [
            {
                "corpus": corpus,
                "lang_a": question.lang_a,
                "word_a": question.word_a,
                "lang_b": question.lang_b,
                "word_b": question.word_b,
                "token": token,
                "review_status": status,
                "reviewer_kind": reviewer.kind,
                "reviewer": reviewer.name,
                "prompt_hash": short_hash(question.prompt),
                "prompt": question.prompt,
                "answer": answer,
                "run_id": run.run_id,
            }
            for token, status in zip(question.tokens, statuses, strict=True)
        ]
        table = pa.Table.from_pylist(rows, schema=SHARDED["pivot_reviews"])
        with writer_lock(home):
            write_table(_file_of(home, corpus, reviewer, question), "pivot_reviews", table)
            run.record(home)
        yield table


def read_answer(answer: str, *, n_candidates: int) -> list[str]:
    """Return a status per candidate from the last JSON list of numbers in an answer.

    Without one, or with a number that nobody offered, all are unclear.
    """
    lists = re.findall(r"\[[\d,\s]*\]", answer)
    if not lists:
        return [UNCLEAR] * n_candidates
    try:
        chosen = set(json.loads(lists[-1]))
    except ValueError:  # no JSON, or a number longer than Python reads
        return [UNCLEAR] * n_candidates
    if not chosen <= set(range(1, n_candidates + 1)):
        return [UNCLEAR] * n_candidates
    return [ACCEPTED if number in chosen else REJECTED for number in range(1, n_candidates + 1)]


def _file_of(home: Home, corpus: str, reviewer: Reviewer, question: Question) -> Path:
    name = short_hash([reviewer.kind, reviewer.name, question.prompt])
    return home.lake / "pivot_reviews" / corpus / f"{name}.parquet"
