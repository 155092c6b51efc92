"""Kill at random, for as long as it is told: two writers and readers on one home, and at the end the right bytes.

    PYTHONPATH=.:tests python -m drills.soak --kills 1000

Two writers call the commands in random order on the same home, each in a process that is killed after a random time
(SIGKILL, often while it waits for the other writer's lock, which is counted apart). The inbox grows while they do.
Readers ask the published copy all the while: each answer must come from one copy. A command that was not killed may
end well or in one line. At the end the same commands run once without disturbance, and the home must equal one that was
never disturbed: lake, counts, exports, and every published mart.

Prints what happened as JSON; exit code 1 when something differs or somebody was told a lie.
"""

import contextlib
import json
import multiprocessing as mp
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from drills.command_line import parser_of, write_out
from drills.every_write import call_in_child
from drills.steps import clean_up, count, export, home_of, ingest, report, state, words
from support.corpora.files import document, write_jsonl, write_tokenizer
from warehouse.base.errors import StepFailed, UsageError
from warehouse.build.build import build
from warehouse.serving.publish import publish
from warehouse.serving.sql import query_table

_N_FILES, _N_RECORDS = 12, 60
_WORDS = ("water", "eau", "house", "maison", "light", "lumière", "the", "la", "cat", "chat")
_MARTS = ("dim_documents", "dim_tokens", "fct_selected_documents", "fct_pivot_candidates")
_ONE_COPY = "select " + ", ".join(f"(select count(*) from marts.{mart}) as {mart}" for mart in _MARTS)
# seconds after which a command is killed at the latest; a build is long, and so called seldom
_LONGEST_S = {"words": 1.0, "ingest": 2.0, "count": 3.0, "build": 30.0, "publish": 2.0, "export": 2.0, "report": 4.0}
# what names the request that brought a file in, or depends on the counts in between
_OWN_HISTORY = ("lake/sums/", "lake/source_files/")
_SELDOM = {"build": 0.06}


def main() -> None:
    """Run the soak that the arguments ask for."""
    parser = parser_of(__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as scratch:
        outcome = soak(Path(scratch).resolve(), arguments.kills, arguments.seed)
    print(json.dumps(outcome, indent=1))
    write_out(arguments.out, outcome)
    sys.exit(bool(outcome["failures"]))


def soak(scratch: Path, n_kills: int, seed: int) -> dict[str, Any]:
    """Run it below `scratch`; return what happened."""
    folder = scratch / "now"
    _inputs(folder)
    _all(folder, scratch)  # so that readers have something, and a kill something to break
    began = time.monotonic()
    context = mp.get_context("fork")
    stop, told = context.Event(), context.Queue()
    per_writer = [n_kills // 2, n_kills - n_kills // 2]
    writers = [
        context.Process(target=_write, args=(folder, scratch / f"writer{i}", n, f"{seed} {i}", told))
        for i, n in enumerate(per_writer)
    ]
    readers = [context.Process(target=_read, args=(folder, stop, told)) for _ in range(2)]
    for process in (*writers, *readers):
        process.start()
    reports = [told.get() for _ in writers]
    stop.set()
    reports += [told.get() for _ in readers]
    for process in (*writers, *readers):
        process.join()
    seconds = time.monotonic() - began
    failures = [failure for one in reports for failure in one.pop("failures")]
    totals: Counter[str] = sum((Counter(one) for one in reports), Counter())
    failures += _differences(folder, scratch)
    return {"seed": seed, "seconds": round(seconds), **dict(sorted(totals.items())), "failures": failures}


def _inputs(folder: Path) -> None:
    """Write all files that the inbox will ever hold; later ones replace records of earlier ones."""
    folder.mkdir()
    write_tokenizer(folder).rename(folder / "tokenizer.json")
    rng = random.Random(1)
    for number in range(_N_FILES):
        ids = [str(rng.randrange(_N_FILES * _N_RECORDS)) for _ in range(_N_RECORDS)]
        texts = [" ".join(rng.choices(_WORDS, k=rng.randint(3, 12))) for _ in ids]
        langs = [rng.choice(("en", "fr")) for _ in ids]
        write_jsonl(
            folder / _file(number), [document(i, t, lang=lang) for i, t, lang in zip(ids, texts, langs, strict=True)]
        )
    pairs = [("water", "eau"), ("house", "maison"), ("light", "lumière"), ("cat", "chat")]
    write_jsonl(folder / "words.jsonl", [{"en": {"en": a}, "fr": {"fr": b}} for a, b in pairs])


def _file(number: int) -> str:
    return f"{number}.jsonl" + (".zst" if number % 2 else "")


def _build(folder: Path) -> None:
    build(home_of(folder))


def _publish(folder: Path) -> None:
    publish(home_of(folder))


def _ingest_some(n_files: int) -> Callable[[Path], None]:
    return lambda folder: ingest(folder, *(_file(number) for number in range(n_files)))


_COMMANDS: dict[str, Callable[[Path], None]] = {
    "words": words,
    "count": count,
    "build": _build,
    "publish": _publish,
    "export": export,
    "report": report,
}


def _all(folder: Path, scratch: Path, *, n_files: int = 2) -> None:
    """Call every command, undisturbed."""
    steps = {"ingest": _ingest_some(n_files)} | _COMMANDS
    for name in ("ingest", "words", "count", "build", "publish", "export", "report"):
        code, said = call_in_child(steps[name], folder, scratch)
        if code != 0:
            raise RuntimeError(f"{name}, undisturbed: exit code {code}, {said[-500:]}")


def _write(folder: Path, own: Path, n_kills: int, seed: str, told: Any) -> None:
    """Call commands in random order and kill them, until `n_kills` were killed."""
    own.mkdir()
    rng, seen = random.Random(seed), Counter[str]()
    failures: list[str] = []
    while seen["kills"] < n_kills:
        n_files = 2 + (_N_FILES - 2) * seen["kills"] // max(n_kills, 1)
        names = ["ingest", *_COMMANDS]
        name = rng.choices(names, [_SELDOM.get(name, 1.0) for name in names])[0]
        act = _ingest_some(n_files) if name == "ingest" else _COMMANDS[name]
        seen["commands"] += 1
        code, said = call_in_child(act, folder, own, kill=partial(_kill_later, folder, rng, name, seen))
        if code == -signal.SIGKILL:
            seen["kills"] += 1
            seen[f"kills in {name}"] += 1
        elif code == 0:
            seen["commands that ended well"] += 1
        elif "Traceback" in said or len(said.strip().splitlines()) != 1:
            failures.append(f"{name}: exit code {code}, said {said[-300:]!r}")
        else:
            seen["commands that ended in one line"] += 1
    told.put({**seen, "failures": failures[:20]})


def _kill_later(folder: Path, rng: random.Random, name: str, seen: Counter[str], pid: int) -> None:
    """Kill a process after a random time, if it lives so long."""
    end = time.monotonic() + rng.uniform(0.01, _LONGEST_S[name])
    while time.monotonic() < end:
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            return
        time.sleep(0.005)
    if pid in _lock_holders(home_of(folder).writer_lock):
        seen["kills of who held the lock"] += 1
    os.kill(pid, signal.SIGKILL)


def _lock_holders(lock: Path) -> set[int]:
    """Return the processes that hold a lock on a file, as Linux lists them."""
    if not lock.exists():
        return set()
    inode = str(lock.stat().st_ino)
    rows = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    return {int(row[4]) for row in rows if row[1] != "->" and row[5].endswith(f":{inode}")}


def _read(folder: Path, stop: Event, told: Any) -> None:
    """Ask the published copy until told to stop."""
    seen, failures = Counter[str](), []
    while not stop.is_set():
        sizes = _sizes_of_copies(folder)
        try:
            [row] = query_table(home_of(folder), _ONE_COPY).to_pylist()
        except (UsageError, StepFailed) as problem:
            failures.append(f"a reader was refused: {problem}")
            continue
        seen["reads"] += 1
        if tuple(row.values()) not in sizes | _sizes_of_copies(folder):
            failures.append(f"of no copy: {row}")
        time.sleep(0.02)
    told.put({**seen, "failures": failures[:20]})


def _sizes_of_copies(folder: Path) -> set[tuple[int, ...]]:
    """Return how many rows each published copy on the disk has in each of some marts."""
    found = set()
    for path in home_of(folder).serving.glob("[0-9]*/manifest.json"):
        with contextlib.suppress(FileNotFoundError):  # it was just removed: it is not the current one
            tables = json.loads(path.read_text())["tables"]
            found.add(tuple(tables[f"marts.{mart}"]["n_rows"] for mart in _MARTS))
    return found


def _differences(folder: Path, scratch: Path) -> list[str]:
    """Run everything once more, and compare with a home that was never disturbed, in a folder of the same name."""
    found, disturbed = _final(folder, scratch), scratch / "disturbed"
    (folder / "home").rename(disturbed)
    wanted = _final(folder, scratch)
    # exports of the time in between stay
    extra = [name for name in found if name not in wanted and not name.startswith(("exports/", "lake/exports/"))]
    return [f"differs at the end: {name}" for name in sorted(wanted) if found.get(name) != wanted[name]] + [
        f"too many at the end: {name}" for name in extra
    ]


def _final(folder: Path, scratch: Path) -> dict[str, str]:
    """Bring a home to its end; return the hash of each file and the content of each published mart."""
    _all(folder, scratch, n_files=_N_FILES)
    code, said = call_in_child(clean_up, folder, scratch)
    if code != 0:
        raise RuntimeError(said)
    kept = {
        name: content
        for name, content in state(folder).items()
        if name.startswith(("lake/", "exports/")) and not name.startswith(_OWN_HISTORY)
    }
    manifest = json.loads((home_of(folder).serving / "current" / "manifest.json").read_text())
    marts = {name: about for name, about in manifest["tables"].items() if name.startswith("marts.")}
    del marts["marts.dim_runs"]  # has the runs of exports of the time in between
    return kept | {name: json.dumps(about, sort_keys=True) for name, about in marts.items()}


if __name__ == "__main__":
    main()
