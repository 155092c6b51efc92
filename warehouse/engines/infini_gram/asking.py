"""The step behind `pivots infini-gram count`: ask an index for every word and word pair it was not asked for yet."""

from dataclasses import dataclass

from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.progress import progress
from warehouse.base.settings import Home
from warehouse.engines.infini_gram.answers import Answers, open_answers
from warehouse.engines.infini_gram.http_api import BoundReached
from warehouse.engines.infini_gram.questions import Index, Question, Refused, Word
from warehouse.lake.runs import Run

_MAX_REFUSALS_IN_A_ROW = 5  # then it is not the words


@dataclass(frozen=True, kw_only=True)
class AskSummary:
    """What came of asking. Pairs of which a word never occurs, or whose words are written alike, need no question."""

    run_id: str
    n_answered: int  # now
    n_known: int  # words and pairs answered in all
    n_refused: int
    n_open: int  # questions that are left, at most
    n_tokens: int  # of the index, separators included


def ask_index(home: Home, index: Index, pairs_by_item: list[list[tuple[Word, Word]]], *, corpus: str) -> AskSummary:
    """Ask for the size of an index, every word, and every pair of one item whose words both occur.

    Items are asked for one after the other, so that any number of answers is about whole items.

    Args:
        pairs_by_item: from `item_words`.

    Raises:
        UsageError: there are no pairs to ask for, or the index does not exist.
        StepFailed: no further answer is to be had; what was answered is kept.
    """
    if not pairs_by_item:
        raise UsageError(
            "no word pair to ask for: import a list (`pivots words import FILE`), or ask for other languages"
        )
    run = Run(
        kind="infini_gram",
        corpus=corpus,
        config={
            "engine": index.engine,
            "index_name": index.name,
            "endpoint": index.endpoint,
            "max_diff_tokens": index.max_diff_tokens,
            "max_clause_freq": index.max_clause_freq,
        },
        inputs={"index": index.fingerprint},
        tokenizer_hash=index.tokenizer_hash,
    )
    questions = _questions(pairs_by_item)
    with open_answers(home, corpus, index, run) as answers:
        n_before, n_refused = len(answers.known), 0
        n_tokens = _size(index, answers)
        unanswered = [question for question in questions if question.key not in answers.known]
        refused: set[tuple[int, ...]] = set()
        n_seen, in_a_row = 0, 0
        with progress(f"asking {index.name}", len(unanswered), "questions") as advance:
            for question in unanswered:
                if _is_needed(question, answers, refused):
                    try:
                        answers.keep(question, index.ask(tuple(word.query for word in question.words)))
                        in_a_row = 0
                    except Refused as refusal:
                        answers.refuse(question, str(refusal))
                        refused.add(question.key)
                        in_a_row += 1
                        if in_a_row == _MAX_REFUSALS_IN_A_ROW:
                            raise StepFailed(f"{index.name} refuses one question after the other: {refusal}") from None
                    except BoundReached:
                        break
                n_seen += 1
                advance(1)
        n_refused = len(refused)
    return AskSummary(
        run_id=run.run_id,
        n_answered=len(answers.known) - n_before,
        n_known=len(answers.known),
        n_refused=n_refused,
        n_open=len(unanswered) - n_seen,
        n_tokens=n_tokens,
    )


def _size(index: Index, answers: Answers) -> int:
    """Return the tokens of an index: the first question, which also tells whether the index is there."""
    size = Question(())
    if size.key not in answers.known:
        try:
            answers.keep(size, index.ask(()))
        except Refused as refusal:
            raise UsageError(f"--index {index.name}: {index.endpoint} says {refusal}") from None
        except BoundReached:
            raise UsageError("--max-requests allows not even one request") from None
    return answers.known[size.key].n_occurrences


def _questions(pairs_by_item: list[list[tuple[Word, Word]]]) -> list[Question]:
    """Return the questions of each item, its words before its pairs; none twice."""
    questions: dict[tuple[int, ...], Question] = {}
    for pairs in pairs_by_item:
        words = {word.word_id: word for pair in pairs for word in pair}
        for question in [*(Question((word,)) for word in words.values()), *map(Question, pairs)]:
            questions.setdefault(question.key, question)
    return list(questions.values())


def _is_needed(question: Question, answers: Answers, refused: set[tuple[int, ...]]) -> bool:
    """Tell whether only the index can answer. Of a pair, n(s,t) is 0 when a word never occurs, and n(s) when s is t."""
    if len(question.words) < 2:
        return True
    if question.words[0].query == question.words[1].query:
        return False
    singles = [(word.word_id,) for word in question.words]
    return not any(key in refused or answers.known[key].n_occurrences == 0 for key in singles)
