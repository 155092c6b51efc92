"""Commands that involve a model: train, score, trace, intervene, experiment, demo."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from warehouse.cli.options import CorpusOption, HomeOption

if TYPE_CHECKING:
    from warehouse.experiments.evaluations import Options

ModelOption = Annotated[
    str,
    typer.Option("--model", metavar="M", help="Folder, GGUF file, configuration file (random weights) or hub name."),
]
RevisionOption = Annotated[
    str | None, typer.Option(metavar="R", help="Branch, tag or commit of a hub model [default: main].")
]
RevisionsOption = Annotated[
    list[str] | None,
    typer.Option("--revision", metavar="R", help="Branch, tag or commit of a hub model; several make a series."),
]
SeriesOption = Annotated[
    str,
    typer.Option(
        "--model", metavar="M", help="Folder, GGUF file, configuration file, hub name, or a folder of checkpoints."
    ),
]
PresetOption = Annotated[str, typer.Option("--preset", metavar="P", help="A preset of profiles/, or a .yml file.")]
ItemsOption = Annotated[int | None, typer.Option("--items", min=1, help="Score N items, a fair sample [default: all].")]
NamesOption = Annotated[
    list[str] | None,
    typer.Option("--language-name", metavar="CODE=NAME", help="What prompts call a language, such as oc=Occitan."),
]
DtypeOption = Annotated[
    str | None, typer.Option(help="float32 or bfloat16 [default: bfloat16 on a GPU, float32 on a CPU].")
]
BatchOption = Annotated[
    int | None, typer.Option(min=1, help="Padded tokens per batch: fewer need less memory [default: by device].")
]

HeldOutOption = Annotated[
    int | None,
    typer.Option(
        "--held-out-tokens",
        min=0,
        metavar="N",
        help="Read at most N tokens of the held-out documents, every language the same; 0: none [default: all].",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the model commands."""
    for command in (train, score, trace, intervene, experiment, demo):
        app.command()(command)


def train(
    export: Annotated[Path, typer.Option(metavar="DIR", help="Export folder made by `pivots export`.")],
    model: ModelOption,
    preset: PresetOption,
    seed: Annotated[int, typer.Option(help="Order of the data and random weights.")] = 0,
    revision: RevisionOption = None,
    home: HomeOption = None,
) -> None:
    """Continue pre-training a model on an export, through accelerate; resumes where it was interrupted.

    Example: `pivots train --export pivots-home/exports/EXPORT --model allenai/OLMo-1B-hf --preset olmo-1b`
    """
    from warehouse.base.settings import Home
    from warehouse.experiments import launch
    from warehouse.experiments.model_identity import at_revision, identify_model
    from warehouse.experiments.presets import find_preset
    from warehouse.experiments.training_export import read_export

    folder = Home.resolve(home)
    regime = find_preset(preset).train
    start = identify_model(at_revision(model, revision), seed=seed)
    trained = launch.train(folder, read_export(export.resolve()), start, preset=regime, seed=seed)
    print(f"{trained.model_id}\n{trained.source}")


def score(
    model: SeriesOption,
    corpus: CorpusOption,
    items: ItemsOption = None,
    sentences: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH", help="Translate these parallel sentences instead: a TSV, or the folder of a FLORES split."
        ),
    ] = None,
    language: Annotated[
        list[str] | None, typer.Option(metavar="CODE", help="Only sentences in these languages [default: all].")
    ] = None,
    shots: Annotated[int, typer.Option(min=0, help="Example sentences in each prompt.")] = 5,
    max_new_tokens: Annotated[int, typer.Option(min=1, help="Longest translation of a sentence.")] = 256,
    held_out_tokens: HeldOutOption = None,
    revision: RevisionsOption = None,
    language_name: NamesOption = None,
    dtype: DtypeOption = None,
    batch_tokens: BatchOption = None,
    home: HomeOption = None,
) -> None:
    """Score word translation in every direction, and the loss on held-out documents; or sentence translation by chrF.

    Examples: `pivots score --corpus demo --model pivots-home/runs/train-1a2b/model`, and for sentences
    `pivots score --corpus mine --model allenai/OLMo-1B-hf --sentences flores200/devtest --language en --language fr`;
    by training step: `pivots score --corpus mine --model EleutherAI/pythia-70m --revision step1000 --revision step4000`
    """
    from warehouse.base.settings import Home
    from warehouse.experiments import evaluations, launch
    from warehouse.experiments.evaluation_set import export_evaluation_set
    from warehouse.experiments.model_series import find_checkpoints
    from warehouse.experiments.sentence_set import export_sentences
    from warehouse.experiments.training_export import HELD_OUT, export_selection

    folder, chosen = Home.resolve(home), find_checkpoints(model, revision or ())
    options = _options(language_name, dtype, batch_tokens)
    if sentences is not None:
        texts = export_sentences(folder, sentences, corpus=corpus, languages=language or (), n_sentences=items)
        wanted = [evaluations.sentence_scores(texts, n_shots=shots, max_new_tokens=max_new_tokens, options=options)]
    else:
        judges = export_evaluation_set(folder, corpus=corpus, n_items=items)
        held_out = export_selection(folder, corpus=corpus, strategy=HELD_OUT, budget_tokens=None)
        losses = evaluations.held_out_losses(held_out, options, limit_tokens=held_out_tokens)
        wanted = [evaluations.word_scores(judges, options), *losses]
    for one in chosen:
        print("\n".join(launch.evaluate(folder, one.model, wanted, place=one)), flush=True)
    marts = "fct_sentence_scores" if sentences is not None else "fct_translation_scores and fct_held_out_losses"
    if len(chosen) > 1 and sentences is None:
        marts += ", fct_scores_by_step among them"
    print(f"`pivots build` turns this into marts.{marts}")


def trace(
    model: ModelOption,
    corpus: CorpusOption,
    items: ItemsOption = None,
    with_pivots_only: Annotated[
        bool,
        typer.Option("--with-pivots-only", help="Leave out pairs without pivots: enough for curves only."),
    ] = False,
    revision: RevisionOption = None,
    language_name: NamesOption = None,
    dtype: DtypeOption = None,
    batch_tokens: BatchOption = None,
    home: HomeOption = None,
) -> None:
    """Trace the layers with the logit lens: the item's words and pivots in every item and direction.

    Example: `pivots trace --corpus demo --model pivots-home/runs/train-1a2b/model`
    """
    from warehouse.base.settings import Home
    from warehouse.experiments import evaluations, launch
    from warehouse.experiments.evaluation_set import export_evaluation_set
    from warehouse.experiments.model_identity import at_revision, identify_model

    folder = Home.resolve(home)
    judges = export_evaluation_set(folder, corpus=corpus, n_items=items)
    options = _options(language_name, dtype, batch_tokens)
    traces = evaluations.layer_traces(judges, options, with_pivots_only=with_pivots_only)
    print("\n".join(launch.evaluate(folder, identify_model(at_revision(model, revision)), [traces])))
    print("`pivots build` turns this into marts.fct_behaviours, fct_pivot_layer_curves and fct_latent_languages")


def intervene(
    model: ModelOption,
    corpus: CorpusOption,
    layer: Annotated[list[int], typer.Option(min=1, metavar="N", help="Layer to intervene behind; may be repeated.")],
    items: ItemsOption = None,
    revision: RevisionOption = None,
    language_name: NamesOption = None,
    dtype: DtypeOption = None,
    home: HomeOption = None,
) -> None:
    """Take each pair's pivots out of the residual stream behind a layer, and see what becomes of the answer.

    Example: `pivots intervene --corpus demo --model pivots-home/runs/train-1a2b/model --layer 2`
    """
    from warehouse.base.settings import Home
    from warehouse.experiments import evaluations, launch
    from warehouse.experiments.evaluation_set import export_evaluation_set
    from warehouse.experiments.model_identity import at_revision, identify_model

    folder = Home.resolve(home)
    judges = export_evaluation_set(folder, corpus=corpus, n_items=items)
    wanted = evaluations.interventions(judges, layer, _options(language_name, dtype, None))
    print("\n".join(launch.evaluate(folder, identify_model(at_revision(model, revision)), [wanted])))
    print("`pivots build` turns this into marts.fct_interventions and fct_intervention_contrasts")


def _options(language_name: list[str] | None, dtype: str | None, batch_tokens: int | None) -> "Options":
    from warehouse.experiments.evaluations import Options

    return Options(dtype=dtype, batch_tokens=batch_tokens, language_names=tuple(language_name or ()))


def experiment(
    corpus: Annotated[
        list[str],
        typer.Option(metavar="NAME", help="Name of the corpus in the warehouse; again for one of its own per seed."),
    ],
    model: ModelOption,
    preset: PresetOption,
    seeds: Annotated[int | None, typer.Option(min=1, help="Number of seeds [default: the preset's].")] = None,
    budget_tokens: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Document tokens of an arm [default: the preset's].")
    ] = None,
    held_out_tokens: HeldOutOption = None,
    revision: RevisionOption = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only say what would be trained, what it could find and what it costs.")
    ] = False,
    allow_equal_arms: Annotated[
        bool, typer.Option("--allow-equal-arms", help="Run also where the budget takes the whole corpus in every arm.")
    ] = False,
    home: HomeOption = None,
) -> None:
    """Compare the selection strategies: train one model per strategy and seed, evaluate all, publish the comparison.

    Example: `pivots experiment --corpus mine --model profiles/olmo-tiny.json --preset short-cpu --plan`
    """
    from warehouse.base.settings import Home
    from warehouse.experiments.budgets import check_arms_can_differ, plan_lines
    from warehouse.experiments.model_identity import at_revision
    from warehouse.experiments.power import power_lines
    from warehouse.experiments.requests import experiment_request
    from warehouse.operations.flow_process import run_flow

    folder = Home.resolve(home)
    # a bad request fails here, before a flow starts
    request = experiment_request(
        folder.root,
        corpora=corpus,
        model=at_revision(model, revision),
        preset=preset,
        seeds=seeds,
        budget_tokens=budget_tokens,
        held_out_tokens=held_out_tokens,
    )
    if plan:
        print(*plan_lines(folder, request.plan, corpus), *power_lines(folder, request.plan), sep="\n")
        return
    if not allow_equal_arms:
        check_arms_can_differ(folder, request.plan, corpus)
    run_flow(folder, "flows.experiment", request)


def demo(
    scale: Annotated[float, typer.Option(min=0.01, help="Size of the corpus; 1 is 10,000 documents.")] = 6.0,
    seed: Annotated[int, typer.Option(help="Seed of the planted documents.")] = 0,
    preset: PresetOption = "demo-cpu",
    home: Annotated[
        Path | None,
        typer.Option("--home", metavar="DIR", help="The demo's own folder [default: `demo` in the usual home]."),
    ] = None,
) -> None:
    """Run the whole pipeline on a planted corpus whose true pivots are known, then say where to look.

    It has a home of its own, ./pivots-home/demo: your corpora and word lists stay apart from the planted ones.

    Example: `pivots demo`, then `pivots report --home pivots-home/demo`
    """
    from warehouse.base.settings import Home
    from warehouse.experiments.plan import read_plan
    from warehouse.experiments.requests import DemoRequest
    from warehouse.operations.flow_process import run_flow

    folder = Home.of_demo(home)
    run_flow(folder, "flows.demo", DemoRequest(home=folder.root, plan=read_plan(preset), scale=scale, seed=seed))
