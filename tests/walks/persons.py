"""What four people type: who meets the product first, who asks it, who trains with it, who runs it every night."""

import json
import re
import shlex
import signal
import subprocess
import time
from pathlib import Path

from support.places import PROJECT
from support.servers.schedules import free_port
from walks.walk import Walk
from warehouse.planted.plant import plant_corpus

SCALE = 0.5  # 5,000 planted documents
TOKENIZER = PROJECT / "ml" / "base_model" / "tokenizer.json"
MODEL = PROJECT / "profiles" / "olmo-tiny.json"
# next to no training: it has to run through, not to learn
TINY = """\
train: {seq_len: 128, sequences_per_step: 8, micro_batch_sequences: 8, document_masks: true, steps: 4,
  budget_tokens: null, epochs: null, learning_rate: 1.0e-3, schedule: linear, warmup_steps: 0, final_lr_share: 0.0,
  weight_decay: 0.1, beta1: 0.9, beta2: 0.95, eps: 1.0e-8, clip_norm: 1.0, gradient_checkpointing: false,
  compile_blocks: false, checkpoint_every_steps: null, keep_checkpoints: 1, optimizer_state: fresh,
  save_optimizer: false}
experiment: {strategies: [random_multilingual, pivot_aware], n_seeds: 2, budget_tokens: 6000,
  n_items: 10, n_pivots: 5, parallel_arms: 1}
"""
_SCHEDULE_S = 300.0


def newcomer(walk: Walk) -> None:
    """Has texts, words and a tokenizer, and wants to see a pivot and the text behind it."""
    plant_corpus(walk.folder / "planted", scale=SCALE, seed=0)
    (walk.folder / "planted" / "documents").rename(walk.folder / "texts")
    (walk.folder / "planted" / "words.jsonl").rename(walk.folder / "words.jsonl")
    walk.types("pivots report", shows=(r"pivots run FOLDER",), refused=True)
    walk.types(
        f"pivots run texts/ --tokenizer {shlex.quote(str(TOKENIZER))} --words words.jsonl",
        shows=(r"best of .* and .* in texts: '", r"report +\S*report\.html", r"next +open"),
    )
    report = (walk.folder / "pivots-home" / "report.html").read_text(encoding="utf-8")
    walk.needs("The 3 best pivots" in report, "the report does not begin with the best pivots")
    walk.needs("Did pivot aware data win?" not in report, "the report asks what no experiment was run for")
    query = (
        "select source_word, target_word, token, n_docs_source_token from marts.fct_pivot_candidates"
        " where score_method = 'specific' and pivot_rank = 1 and source_lang = 'en' order by pivot_score desc limit 5"
    )
    walk.types(f'pivots sql "{query}"', shows=(r"(│ \S+ +│ \S+ +│ +\S+ +│ +\d+ │\n){5}",))
    query = "select document_text(corpus, doc_id) as text from marts.dim_documents where lang = 'fr' limit 2"
    walk.types(f'pivots sql "{query}"', shows=(r"\w+ \w+ \w+",))


def analyst(walk: Walk) -> None:
    """Has the newcomer's home, and wants answers in SQL and a change of a model by hand."""
    home = walk.folder / "pivots-home"
    walk.types("pivots sql 'select * from marts.dim_items limit 3'", shows=(r"item_id",))
    walk.types(
        "pivots sql 'select * from marts.no_such'", shows=(r"no_such.*(Did you mean|does not exist)",), refused=True
    )
    query = "select pivot_set, count(*) as n from marts.dim_pivot_tokens group by all order by all"
    said = walk.types(f'pivots sql --format csv "{query}"', shows=(r"^pivot_set,n",))
    walk.needs(len(said.splitlines()) > 3, "there are hardly any pivot sets", said)
    walk.types(
        f"PIVOTS_HOME={shlex.quote(str(home))} dbt --quiet ls --select fct_strategy_comparison",
        shows=(r"semantic_pivots\.marts\.comparisons\.fct_strategy_comparison",),
        cwd=PROJECT / "dbt_project",
    )
    walk.types(
        'eval "$(pivots build --print-env)" && dbt build --vars "$PIVOTS_VARS" --select dim_strategies',
        shows=(r"PASS=\d+ WARN=0 ERROR=0",),
    )
    walk.types("pivots status", shows=(r"texts: 5,00\d documents",))


def researcher(walk: Walk) -> None:
    """Has the newcomer's home, and wants to know whether a selection taught a model more."""
    (walk.folder / "tiny.yml").write_text(TINY)
    # a small corpus has no token in the default set, and says so: this one has
    walk.types('pivots build --vars \'{"default_pivot_set": "pairs_top3"}\'', shows=(r"published +copy",))
    asked = f"--corpus texts --model {shlex.quote(str(MODEL))} --preset tiny.yml"
    walk.types(f"pivots experiment {asked} --plan", shows=(r"power +\S", r"tokens"))
    walk.types(f"pivots experiment {asked}", shows=(r"experiment: \d+ of \d+ steps \(.*min",))
    walk.types(
        'pivots sql "select strategy, baseline, score_delta, n_seeds, verdict from marts.fct_strategy_comparison'
        " where is_summary and source_lang = 'all' and word_split = 'judge'\"",
        shows=(r"random_multilingual", r"verdict"),
    )
    walk.types("pivots report", shows=(r"report\.html",))
    report = (walk.folder / "pivots-home" / "report.html").read_text(encoding="utf-8")
    walk.needs("against the model before training (base)" in report, "the report does not say what training did")


def operator(walk: Walk) -> None:
    """Has the newcomer's home, and wants it brought up to date without them."""
    home = walk.folder / "pivots-home"
    port = free_port()
    said, program = _start(walk, f"pivots schedule --port {port}")
    try:
        # a corpus that grew, and a new one that nobody gave a tokenizer
        line = {"id": "new", "text": "the library has a shelf and an ISBN", "metadata": {"lang": "en"}}
        for corpus in ("texts", "unknown"):
            (home / "inbox" / corpus).mkdir(parents=True)
            (home / "inbox" / corpus / "more.jsonl").write_text(json.dumps(line) + "\n")
        walk.types(
            "pivots status", shows=(r"texts: 1 files to ingest", r"unknown: .* no such corpus yet", r"--tokenizer")
        )
        exports = (
            f"export PREFECT_API_URL=http://127.0.0.1:{port}/api"
            f' PREFECT_API_AUTH_STRING="$(cat {shlex.quote(str(home / "prefect" / "password"))})"'
        )
        # it ends as failed, by name of the folder that was left out, so its exit code is not 0
        walk.types(f"{exports}; prefect deployment run refresh/nightly --watch || true")
        ended = _line(walk, said, program, r"failed +refresh .*unknown.*tokenizer.*other corpora are up to date")
        began = _line(walk, said, program, r"started +refresh \d{4}-\d\d-\d\d")
        walk.needs(bool(began and ended), "the schedule does not say how the run began and ended", said.read_text())
        _line(walk, said, program, r"completed +publish")
        told = walk.types("pivots status", shows=(r"texts: all files are ingested", r"flow refresh +failed"))
        walk.needs("texts: 5,001 documents" in told, "the new document is not in the corpus", told)
        walk.types("pivots clean-up", shows=(r"looked at \d+ work folders in .* and \d+ counts",))
    finally:
        start = time.monotonic()
        program.send_signal(signal.SIGINT)
        code = program.wait(60)
        walk.note("Ctrl-C", time.monotonic() - start)
    walk.needs(code == 0, f"the schedule ended with exit code {code}", said.read_text())


def _start(walk: Walk, command: str) -> tuple[Path, "subprocess.Popen[bytes]"]:
    """Type a command that stays; return the file that holds what it prints, and the program, once its flows can run."""
    print(f"  $ {command}", flush=True)
    said, start = walk.folder / "schedule.log", time.monotonic()
    with said.open("wb") as out:
        words = shlex.split(command)
        program = subprocess.Popen(words, cwd=walk.folder, env=walk.environment, stdout=out, stderr=out)
    _line(walk, said, program, r"http://127\.0\.0\.1:\d+")
    walk.note(command, time.monotonic() - start)
    return said, program


def _line(walk: Walk, said: Path, program: "subprocess.Popen[bytes]", pattern: str) -> str:
    """Return the first line with a pattern, as soon as it is printed.

    Raises:
        WalkFailed: it is not, for minutes, or the program has ended.
    """
    end = time.monotonic() + _SCHEDULE_S
    while time.monotonic() < end and program.poll() is None:
        for line in said.read_text().splitlines():
            if re.search(pattern, line):
                return line
        time.sleep(0.5)
    walk.needs(False, f"the schedule does not print {pattern!r}", said.read_text())
    return ""


PERSONS = {"newcomer": newcomer, "analyst": analyst, "researcher": researcher, "operator": operator}
