"""What an index is asked, in which order, how often, and what is kept of it."""

import itertools
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from support.homes.infini_gram_home import ITEMS, Fake, counted, gram_home, write_words
from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.settings import Home
from warehouse.engines.infini_gram.asking import AskSummary, ask_index
from warehouse.engines.infini_gram.questions import item_words
from warehouse.lake import identity
from warehouse.lake.files import read_table

EN, FR, JA = (identity.word_id(lang, ITEMS[0][lang]) for lang in ("en", "fr", "ja"))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return gram_home(tmp_path / "home")


def ask(home: Home, fake: Fake, **options: int) -> AskSummary:
    return ask_index(home, fake.index(**options), item_words(home, None), corpus="far")


def test_every_word_and_pair_is_asked_once(home: Home) -> None:
    fake = Fake({(): 1000})
    summary = ask(home, fake)
    # 1 size, 7 words, 3 + 1 pairs; table/table are the same tokens: nothing to ask
    assert (summary.n_answered, summary.n_known, summary.n_open, summary.n_tokens) == (12, 12, 0, 1000)
    assert len(set(fake.asked)) == len(fake.asked) - 1  # `table` of two languages is two words
    assert fake.asked[0] == ()
    again = ask(home, fake)
    assert (again.n_answered, again.n_known, again.run_id) == (0, 12, summary.run_id)
    assert len(fake.asked) == 12


def test_a_word_comes_before_its_pairs_and_items_one_after_another(home: Home) -> None:
    fake = Fake({})
    ask(home, fake)
    seen: set = set()
    for queries in fake.asked:
        if len(queries) == 2:
            assert {(query,) for query in queries} <= seen
        seen.add(queries)
    items = [next(n for n, item in enumerate(ITEMS) if set(q) <= set(item.values())) for q in fake.asked[1:]]
    assert [item for n, item in enumerate(items) if item not in items[:n]] == list(dict.fromkeys(items))
    assert sum(a != b for a, b in itertools.pairwise(items)) == len(ITEMS) - 1


def test_a_pair_with_a_word_that_never_occurs_is_not_asked(home: Home) -> None:
    fake = Fake({("eau",): 0})
    summary = ask(home, fake)
    assert not [q for q in fake.asked if len(q) == 2 and "eau" in q]
    assert summary.n_known == 10
    assert summary.n_open == 0


def test_rows_say_what_was_asked_and_how(home: Home) -> None:
    summary = ask(home, Fake({(): 5}))
    rows = read_table(home, "infini_gram_counts").to_pylist()
    size, pair = rows[0], next(row for row in rows if {row["word_id_a"], row["word_id_b"]} == {EN, FR})
    assert (size["word_id_a"], size["word_id_b"], size["query"], size["n_occurrences"]) == (None, None, '""', 5)
    assert pair["query"] in ('"eau AND water"', '"water AND eau"')
    assert pair["word_id_a"] < pair["word_id_b"]
    assert (pair["max_diff_tokens"], pair["max_clause_freq"], pair["n_docs"]) == (100, 1000, None)
    assert {row["run_id"] for row in rows} == {summary.run_id}
    (run,) = read_table(home, "runs").to_pylist()
    assert (run["run_id"], run["kind"], run["corpus"]) == (summary.run_id, "infini_gram", "far")
    assert '"endpoint": "http://there/"' in run["config"]


def test_another_distance_is_another_run(home: Home) -> None:
    first, second = ask(home, Fake({})), ask(home, Fake({}), max_diff_tokens=50)
    assert first.run_id != second.run_id
    assert second.n_answered == 12


def test_a_new_list_asks_for_its_words_only(home: Home) -> None:
    ask(home, Fake({}))
    write_words(home, ({"en": "sea", "fr": "mer"}, {"en": "water", "fr": "onde"}), name="more")
    fake = Fake({})
    ask(home, fake)
    assert {query for queries in fake.asked for query in queries} == {"sea", "mer", "onde", "water"}
    assert ("water",) not in fake.asked
    assert len(fake.asked) == 5


def test_what_was_answered_before_an_interrupt_is_kept(home: Home) -> None:
    fake = Fake({})
    fake.fail_at = 5
    with pytest.raises(KeyboardInterrupt):
        ask(home, fake)
    assert len(counted(home)) == 5
    fake.fail_at = None
    ask(home, fake)
    assert len(fake.asked) == 12
    assert len(counted(home)) == 12


def test_what_was_answered_before_kill_is_kept(home: Home, tmp_path: Path) -> None:
    """The process is killed with its sixth question open and half a line of it in the journal."""
    program = textwrap.dedent(
        f"""
        import os, signal, sys
        from pathlib import Path
        from support.homes.infini_gram_home import Fake
        from warehouse.engines.infini_gram.asking import AskSummary, ask_index
        from warehouse.engines.infini_gram.questions import item_words
        from warehouse.base.settings import Home

        class Killed(Fake):
            def ask(self, queries):
                if len(self.asked) == 5:
                    for journal in Path({str(home.lake)!r}).glob("*/*/*.journal"):
                        with journal.open("a") as stream:
                            stream.write('{{"key": [1')
                    os.kill(os.getpid(), signal.SIGKILL)
                return super().ask(queries)

        home = Home(Path({str(home.root)!r}))
        ask_index(home, Killed({{}}).index(), item_words(home, None), corpus="far")
        """
    )
    killed = subprocess.run([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": ":".join(sys.path)})
    assert killed.returncode == -signal.SIGKILL
    assert counted(home) == {}
    fake = Fake({})
    summary = ask(home, fake)
    assert len(fake.asked) == 12 - 5
    assert len(counted(home)) == summary.n_known == 12
    assert not list(home.lake.rglob("*.journal"))


def test_the_same_answers_are_the_same_bytes(home: Home, tmp_path: Path) -> None:
    ask(home, Fake({}))
    other = gram_home(tmp_path / "other")
    ask(other, Fake({}))
    names = [sorted(p.name for p in h.lake.glob("infini_gram_counts/far/*.parquet")) for h in (home, other)]
    assert names[0] == names[1]
    assert len(names[0]) == 1
    path = f"infini_gram_counts/far/{names[0][0]}"
    assert (home.lake / path).read_bytes() == (other.lake / path).read_bytes()


def test_a_refused_word_is_a_reject_and_asked_again(home: Home) -> None:
    refused = Fake({}, refuse=frozenset({"eau"}))
    summary = ask(home, refused)
    assert (summary.n_refused, summary.n_known) == (1, 9)  # its two pairs are not asked
    (reject,) = read_table(home, "rejects").to_pylist()
    assert (reject["corpus"], reject["step"], reject["reason"]) == ("far", "infini_gram", "refused by the index")
    assert reject["detail"] == "eau: no such word"
    fake = Fake({})
    assert ask(home, fake).n_known == 12
    assert fake.asked[0] == ("eau",)
    assert len(fake.asked) == 3


def test_an_index_that_refuses_everything_ends_it(home: Home) -> None:
    words = frozenset(word for item in ITEMS for word in item.values())
    fake = Fake({}, refuse=words)
    with pytest.raises(StepFailed, match="refuses one question after the other: no such word"):
        ask(home, fake)
    assert len(fake.asked) == 6


def test_only_pairs_of_the_languages_that_are_wanted(home: Home) -> None:
    fake = Fake({})
    pairs = item_words(home, None, source_lang="ja", target_lang="en")
    ask_index(home, fake.index(), pairs, corpus="far")
    assert {q for queries in fake.asked for q in queries} == {"水", "water"}
    with pytest.raises(UsageError, match="no word pair to ask for"):
        ask_index(home, fake.index(), item_words(home, None, source_lang="ko"), corpus="far")


def test_two_commands_do_not_ask_the_same_at_once(home: Home) -> None:
    class Nested(Fake):
        def ask(self, queries):
            if not self.asked:
                with pytest.raises(StepFailed, match="another command is asking i the same"):
                    ask(home, Fake({}))
            return super().ask(queries)

    assert ask(home, Nested({})).n_known == 12
