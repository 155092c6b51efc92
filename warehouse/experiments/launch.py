"""Launch `ml` programs, each as its own process, and write their results back.

`ml` never opens the warehouse: it gets an export or evaluation-set folder and leaves result files in the run's folder.
"""

import dataclasses
import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from warehouse.base import shipped
from warehouse.base.child_process import run_child
from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.programs import module_command, program_environment
from warehouse.base.settings import Home
from warehouse.contract.hashing import file_hash
from warehouse.experiments.evaluation_set import EvaluationSet
from warehouse.experiments.model_identity import Model, identify_model, provenance
from warehouse.experiments.results import is_registered, write_back
from warehouse.experiments.sentence_set import SentenceSet
from warehouse.experiments.training_export import Export
from warehouse.lake.runs import Run

PRESETS_DIR = shipped.profiles()


def preset_file(preset: str) -> Path:
    """Return the file of a preset: a name in `profiles/` or a path of one's own.

    Raises:
        UsageError: there is none.
    """
    path = Path(preset) if preset.endswith((".yml", ".yaml")) else PRESETS_DIR / f"{preset}.yml"
    if not path.exists():
        known = ", ".join(sorted(p.stem for p in PRESETS_DIR.glob("*.yml") if p.stem != "profiles"))
        raise UsageError(f"no preset {preset!r} (there are: {known}; or give a path ending in .yml)")
    return path.resolve()


def training_run(export: Export, model: Model, *, preset: Path, seed: int, experiment: str | None = None) -> Run:
    """Return the run that training `model` on an export is: its id names the run's folder before anything has begun."""
    manifest = export.manifest
    return Run(
        kind="train",
        corpus=manifest["corpus"],
        experiment=experiment,
        strategy=manifest["strategy"],
        seed=seed,
        config={"train": yaml.safe_load(preset.read_text()).get("train")},
        inputs={"export": manifest["export_id"], "model": model.model_id},
        export_id=manifest["export_id"],
        tokenizer_hash=manifest["tokenizer_hash"],
    )


def train(home: Home, export: Export, model: Model, *, preset: Path, seed: int, experiment: str | None = None) -> Model:
    """Continue training `model` on an export; return the trained model. Resumes and repeats cheaply."""
    run = training_run(export, model, preset=preset, seed=seed, experiment=experiment)
    folder = home.runs / run.run_id
    trained = folder / "model"
    if not is_registered(home, run):
        arguments = ["--export", export.folder, "--model", model.source, "--preset", preset, "--seed", seed]
        config = _chosen_config() or PRESETS_DIR / "accelerate" / "single.yml"
        program = ["-m", "ml.train", *arguments, "--run-id", run.run_id, "--out", folder]
        for line in other_machines(config, program):
            print(line, file=sys.stderr)
        _launch([*_launcher(config), *program])
        run = dataclasses.replace(run, model_id=identify_model(str(trained)).model_id)
        write_back(home, run, folder)
    return identify_model(str(trained))


def training_progress(home: Home, run: Run) -> tuple[float, str] | None:
    """Return how much of a running training is done, in percent, and what it says of its last step; None at first."""
    file = home.runs / run.run_id / "progress.json"
    if not file.exists():
        return None
    state = json.loads(file.read_text())
    return 100 * state["done"] / state["total"], state["note"]


@dataclass(frozen=True)
class Evaluation:
    """One program of `ml` on one model: what it reads, as run inputs and as arguments."""

    program: str  # of ml.several, and the kind of the run
    corpus: str | None
    inputs: dict[str, str]
    arguments: list[Any]  # what to read, and `options`
    config: dict[str, Any] = field(default_factory=dict)  # what the user chose, part of the run's id


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to read a model. None leaves it to the program: bf16 and large batches on a GPU, fp32 and small ones else."""

    dtype: str | None = None  # float32, bfloat16
    batch_tokens: int | None = None
    language_names: tuple[str, ...] = ()  # code=Name, as prompts shall call a language

    @property
    def config(self) -> dict[str, Any]:
        """What was chosen; empty when nothing was."""
        chosen = {"dtype": self.dtype, "batch_tokens": self.batch_tokens, "language_names": sorted(self.language_names)}
        return {name: value for name, value in chosen.items() if value}

    def arguments(self, *, with_names: bool) -> list[Any]:
        """Return the command-line arguments of an `ml` program. Programs without prompts know no language names."""
        words: list[Any] = ["--dtype", self.dtype] if self.dtype else []
        words += ["--batch-tokens", self.batch_tokens] if self.batch_tokens else []
        return words + [word for name in self.language_names if with_names for word in ("--language-name", name)]


def word_scores(judges: EvaluationSet, options: Options = Options()) -> Evaluation:
    """Word translation scores on an evaluation set."""
    return _on_judges("score", judges, options)


def layer_traces(judges: EvaluationSet, options: Options = Options()) -> Evaluation:
    """Layer traces with the logit lens on an evaluation set."""
    return _on_judges("trace", judges, options)


def held_out_losses(held_out: Export, options: Options = Options()) -> Evaluation:
    """Loss per language on an export of held-out documents."""
    manifest = held_out.manifest
    options = dataclasses.replace(options, language_names=())
    arguments = ["--export", held_out.folder, *options.arguments(with_names=False)]
    return Evaluation("held_out", manifest["corpus"], {"export": manifest["export_id"]}, arguments, options.config)


def sentence_scores(
    sentences: SentenceSet, *, n_shots: int, max_new_tokens: int, options: Options = Options()
) -> Evaluation:
    """Greedy translations of parallel sentences behind `n_shots` examples, compared by chrF."""
    manifest = sentences.manifest
    arguments = ["--sentences", sentences.folder, "--shots", n_shots, "--max-new-tokens", max_new_tokens]
    config = {"n_shots": n_shots, "max_new_tokens": max_new_tokens} | options.config
    inputs = {"sentence_set": manifest["sentence_set_id"]}
    return Evaluation("sentences", manifest["corpus"], inputs, arguments + options.arguments(with_names=True), config)


def prompt_lens(
    prompt: str, *, top: int, watch: Sequence[str] = (), tokenizer: Path | None = None, dtype: str | None = None
) -> Evaluation:
    """What each layer would say next at every token of a prompt (logit lens). `watch` holds texts of one token each."""
    config = {"prompt": prompt, "top": top, "watch": sorted(watch)} | ({"dtype": dtype} if dtype else {})
    inputs = {"tokenizer": file_hash(tokenizer)} if tokenizer else {}
    # = and not a space: a prompt may begin with a dash
    arguments: list[Any] = [f"--prompt={prompt}", "--top", top, *(f"--watch={text}" for text in sorted(watch))]
    arguments += ["--tokenizer", tokenizer] if tokenizer else []
    return Evaluation("prompt_lens", None, inputs, arguments + (["--dtype", dtype] if dtype else []), config)


def _on_judges(program: str, judges: EvaluationSet, options: Options) -> Evaluation:
    manifest = judges.manifest
    inputs = {"evaluation_set": manifest["eval_set_id"]}
    arguments = ["--eval-set", judges.folder, *options.arguments(with_names=True)]
    return Evaluation(program, manifest["corpus"], inputs, arguments, options.config)


def evaluate(
    home: Home, model: Model, evaluations: Sequence[Evaluation], *, experiment: str | None = None
) -> list[str]:
    """Run what is missing of some evaluations of one model, one after another in the same process (or processes, when
    PIVOTS_ACCELERATE_CONFIG names a launch configuration); return their run ids."""
    origin = provenance(home, model)
    runs = [
        Run(
            kind=evaluation.program,
            corpus=evaluation.corpus,
            experiment=experiment or origin.experiment,
            strategy=origin.strategy,
            seed=origin.seed,
            model_id=model.model_id,
            config=evaluation.config,
            inputs={"model": model.model_id, **evaluation.inputs},
        )
        for evaluation in evaluations
    ]
    missing = [pair for pair in zip(runs, evaluations, strict=True) if not is_registered(home, pair[0])]
    parts = [
        [one.program, "--model", model.source, *one.arguments, "--run-id", run.run_id, "--out", home.runs / run.run_id]
        for run, one in missing
    ]
    if parts:
        config = _chosen_config()
        program = ["-m", "ml.several", *_joined(parts)]
        _launch([*(_launcher(config) if config else [sys.executable]), *program])
    for run, _ in missing:
        write_back(home, run, home.runs / run.run_id)
    return [run.run_id for run in runs]


def _joined(parts: list[list[Any]]) -> list[Any]:
    """Return the arguments of `ml.several`: its parts with a separator between them."""
    first, *others = parts
    return [*first, *(word for part in others for word in ("--then", *part))]


def _launch(command: list[Any]) -> None:
    """Run an `ml` program and wait. Its progress and summary go to stderr.

    Raises:
        UsageError: the program refused the request; the message is its own.
        StepFailed: it failed, and has said why.
    """
    with tempfile.TemporaryDirectory(prefix="pivots-") as folder:
        refusal = Path(folder) / "refusal"  # ml/common/errors.py: launchers do not pass exit codes on
        environment = program_environment({"TOKENIZERS_PARALLELISM": "false", "PIVOTS_REFUSAL_FILE": str(refusal)})
        # a group of its own: launchers start more processes, and each of them watches us
        code = run_child(command, env=environment, own_group=True, stdin=subprocess.DEVNULL, stdout=sys.stderr)
        if refusal.exists():
            raise UsageError(refusal.read_text())
    if code != 0:
        raise StepFailed(f"a program of `ml` stopped with exit code {code}; run the same to resume")


def other_machines(config: Path, program: Sequence[Any]) -> list[str]:
    """Return what to run on each machine but this one, when a launch configuration names several: all wait for all."""
    n_machines = int(yaml.safe_load(config.read_text()).get("num_machines", 1))
    commands = [[*_launcher(config.resolve()), "--machine_rank", rank, *program] for rank in range(1, n_machines)]
    return [
        f"on machine {rank} of {n_machines}: cd {Path.cwd()} && {shlex.join(str(word) for word in command)}"
        for rank, command in enumerate(commands, start=2)
    ]


def _launcher(config: Path) -> list[Any]:
    return module_command("accelerate.commands.launch", "--quiet", "--config_file", config)


def _chosen_config() -> Path | None:
    """Return the launch configuration that PIVOTS_ACCELERATE_CONFIG names: a file, or a name in profiles/accelerate.

    Raises:
        UsageError: there is no such file.
    """
    chosen = os.environ.get("PIVOTS_ACCELERATE_CONFIG")
    if not chosen:
        return None
    named = PRESETS_DIR / "accelerate" / f"{chosen}.yml"
    path = named if named.exists() else Path(chosen)
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in named.parent.glob("*.yml")))
        raise UsageError(f"PIVOTS_ACCELERATE_CONFIG={chosen}: no such file (or one of profiles/accelerate: {known})")
    return path
