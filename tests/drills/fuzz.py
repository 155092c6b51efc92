"""Feed every reader of foreign bytes with changed ones until it does something else than read, reject or refuse.

    PYTHONPATH=.:tests python -m drills.fuzz                                  # a million records, some minutes
    PYTHONPATH=.:tests python -m drills.fuzz --parser jsonl --records 20000

With Atheris, which `pip install atheris` brings where it has a wheel, the changes follow the coverage of the readers:
an input that reaches a new branch is kept and changed further. Without it the seeds are changed at random, by a seed
that is printed. Every input that a reader failed on is written to `--found`, and stays a test once it is copied to
`tests/drills/found/<parser>/`. Memory is bounded by `--memory-mib`: a reader that needs more fails.

Prints a table; exit code 1 when a reader failed.
"""

import argparse
import importlib.util
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import warehouse
from drills.command_line import parser_of, write_out
from warehouse.contract.hashing import text_hash

FOUND = Path(__file__).parent / "found"
_SAVE_EVERY = 100
_INPUT_S = 20


@dataclass
class Fuzzed:
    """What came of one reader."""

    parser: str
    engine: str
    n_inputs: int = 0
    n_records: int = 0
    seconds: float = 0
    failures: list[str] = field(default_factory=list)


def main() -> None:
    """Fuzz the readers that the arguments name, each in a process of its own."""
    parser = parser_of(__doc__)
    parser.add_argument("--parser", action="append", help="only this one (may be repeated)")
    parser.add_argument("--records", type=int, default=1_000_000, help="of all readers together")
    parser.add_argument("--seconds", type=float, default=600, help="at most, of each reader")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--memory-mib", type=int, default=6144, help="address space of a process")
    parser.add_argument("--found", type=Path, default=Path("build/fuzz"), help="folder for inputs that failed")
    parser.add_argument("--here", type=Path, help=argparse.SUPPRESS)  # in this process; the file of its outcome
    arguments = parser.parse_args()
    if arguments.here:
        _fuzz_here(arguments)
        return
    with tempfile.TemporaryDirectory(prefix="fuzz-") as scratch:
        from drills.parsers import parsers

        names = arguments.parser or list(parsers(Path(scratch) / "names"))
        outcomes = []
        for number, name in enumerate(names):
            left = max(arguments.records - sum(one.n_records for one in outcomes), 0)
            outcomes.append(_in_process(arguments, name, -(-left // (len(names) - number)), Path(scratch)))
            _say(outcomes[-1])
    print(f"{sum(o.n_records for o in outcomes):,} records, {sum(len(o.failures) for o in outcomes)} failures")
    write_out(arguments.out, [asdict(outcome) for outcome in outcomes])
    sys.exit(any(outcome.failures for outcome in outcomes))


def _say(one: Fuzzed) -> None:
    print(
        f"{one.parser:20} {one.engine:8} {one.n_inputs:8,} inputs {one.n_records:9,} records {one.seconds:6.0f} s"
        f" {len(one.failures):3} failures",
        flush=True,
    )
    for failure in one.failures[:5]:
        print("   ", failure, flush=True)


def _in_process(arguments: argparse.Namespace, name: str, n_records: int, scratch: Path) -> Fuzzed:
    """Fuzz one reader in a process that may die of it."""
    told = scratch / "outcome.json"
    told.unlink(missing_ok=True)
    options = {
        "--parser": name,
        "--records": n_records,
        "--seconds": arguments.seconds,
        "--seed": arguments.seed,
        "--memory-mib": arguments.memory_mib,
        "--found": arguments.found,
        "--here": told,
    }
    given = [str(part) for pair in options.items() for part in pair]
    command = [sys.executable, "-m", "drills.fuzz", *given]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=arguments.seconds + 10 * _INPUT_S
        )
        ended = f"the process ended with {done.returncode}: {done.stderr.strip()[-300:]}" if done.returncode else ""
    except subprocess.TimeoutExpired:
        ended = "the process did not end"
    outcome = Fuzzed(**json.loads(told.read_text())) if told.exists() else Fuzzed(name, "none")
    if ended:
        outcome.failures.append(ended)
    return outcome


def _fuzz_here(arguments: argparse.Namespace) -> None:
    (name,) = arguments.parser
    bound = arguments.memory_mib << 20
    resource.setrlimit(resource.RLIMIT_AS, (bound, bound))
    # Atheris keeps nothing after its last input but what is on the disk
    is_guided = importlib.util.find_spec("atheris") is not None
    outcome = Fuzzed(name, "atheris" if is_guided else "random")
    with tempfile.TemporaryDirectory(prefix="fuzz-") as scratch:
        (_guided if is_guided else _unguided)(arguments, outcome, Path(scratch))


def _too_long(number: int, frame: object) -> None:
    raise TimeoutError(f"more than {_INPUT_S} s")


class _Session:
    """Calls one reader, counts, and keeps what it failed on."""

    def __init__(self, arguments: argparse.Namespace, outcome: Fuzzed, scratch: Path) -> None:
        from drills.parsers import parsers

        self.parser = parsers(scratch / "work")[outcome.parser]
        self._arguments, self._outcome = arguments, outcome
        self._began = time.monotonic()
        self._kinds: set[str] = set()
        signal.signal(signal.SIGALRM, _too_long)

    def call(self, data: bytes) -> bool:
        """Read one input; return whether to go on."""
        outcome = self._outcome
        signal.alarm(_INPUT_S)
        try:
            outcome.n_records += self.parser.read(data)
        except Exception as error:
            self._keep(data, error)
        finally:
            signal.alarm(0)
        outcome.n_inputs += 1
        outcome.seconds = time.monotonic() - self._began
        is_done = outcome.n_records >= self._arguments.records or outcome.seconds >= self._arguments.seconds
        if is_done or outcome.n_inputs % _SAVE_EVERY == 0:
            self._arguments.here.write_text(json.dumps(asdict(outcome)))
        return not is_done

    def _keep(self, data: bytes, error: Exception) -> None:
        """Keep one input of each place that fails."""
        place = traceback.extract_tb(error.__traceback__)[-1]
        kind = f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
        if kind in self._kinds:
            return
        self._kinds.add(kind)
        file = self._arguments.found / self.parser.name / text_hash(data.hex())[:12]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        self._outcome.failures.append(f"{kind}: {str(error)[:100]} ({file})")


def _guided(arguments: argparse.Namespace, outcome: Fuzzed, scratch: Path) -> None:
    import atheris

    # numba compiles the byte code that it finds, and cannot compile the calls that Atheris puts between
    with atheris.instrument_imports(include=["warehouse", "ml", "json", "csv", "yaml"], exclude=_compiled_modules()):
        session = _Session(arguments, outcome, scratch)
    corpus = scratch / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(session.parser.seeds):
        (corpus / str(number)).write_bytes(seed)

    def one(data: bytes) -> None:
        if not session.call(data):
            os._exit(0)  # the only way out of its loop that is no failure

    largest = max(map(len, session.parser.seeds)) * 2
    flags = [f"-seed={arguments.seed}", f"-max_len={largest}", "-rss_limit_mb=0", "-timeout=60", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *flags, str(corpus)], one)
    atheris.Fuzz()


def _compiled_modules() -> list[str]:
    """Return the modules with functions that numba compiles."""
    root = Path(warehouse.__file__).parent
    return [
        ".".join((root.name, *file.relative_to(root).with_suffix("").parts))
        for file in sorted(root.rglob("*.py"))
        if "njit" in file.read_text()
    ]


def _unguided(arguments: argparse.Namespace, outcome: Fuzzed, scratch: Path) -> None:
    session = _Session(arguments, outcome, scratch)
    for data in changed(session.parser.seeds, seed=arguments.seed):
        if not session.call(data):
            return


def changed(seeds: Sequence[bytes], *, seed: int) -> Iterator[bytes]:
    """Yield the seeds, then changed ones for ever: bytes flipped, cut out, doubled, or taken from another seed."""
    yield from seeds
    rng = random.Random(seed)
    while True:
        data = bytearray(rng.choice(seeds))
        for _ in range(rng.choice((1, 1, 2, 4, 8, 16))):
            at = rng.randrange(len(data) + 1)
            end = min(len(data), at + rng.choice((1, 1, 2, 4, 16, 256)))
            match rng.randrange(5):
                case 0:
                    data[at:end] = bytes(rng.randrange(256) for _ in range(end - at))
                case 1:
                    del data[at:end]
                case 2:
                    data[at:at] = data[at:end] * rng.choice((1, 2, 100))
                case 3:
                    other = rng.choice(seeds)
                    start = rng.randrange(len(other) + 1)
                    data[at:end] = other[start : start + end - at + 8]
                case 4:
                    data[at:end] = rng.choice((b"\0", b"\xff", b'"', b"\\ud800", b"{", b"[" * 2000, b"9" * 5000, b"\n"))
        yield bytes(data)


if __name__ == "__main__":
    main()
