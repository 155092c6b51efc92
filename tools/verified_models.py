"""Which models are read right: families that transformers can build, small and at random, held to plain transformers.

`python -m tools.verified_models` rewrites docs/verified-models.md; `--model NAME=M` (again for more) adds real ones.
"""

import argparse
import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from ml.models.generate import check_continuations
from ml.models.lens import LayerReader
from ml.models.load import find_model, load_model
from ml.models.nll import IGNORED
from ml.training.loss import LossModel
from ml.translation.prompts import PromptTokens
from ml.translation.shared_prefix import check_against_reference
from tools import REPOSITORY
from warehouse.contract.errors import StepFailed, UsageError

PAGE = REPOSITORY / "docs" / "verified-models.md"
VOCAB_SIZE = 600
_LARGEST = 30_000_000  # parameters; what a configuration of ours cannot make smaller is left out
_SECONDS = 60
_SIZES: dict[str, Any] = {
    "vocab_size": VOCAB_SIZE,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "rotary_dim": 8,
    "qk_rope_head_dim": 8,
    "qk_nope_head_dim": 8,
    "v_head_dim": 16,
    "q_lora_rank": 16,
    "kv_lora_rank": 16,
    "max_position_embeddings": 512,
    "initializer_range": 0.1,
    "num_experts": 4,
    "num_local_experts": 4,
    "n_routed_experts": 4,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 32,
    "pad_token_id": None,
    "bos_token_id": None,
    "eos_token_id": 0,
    "use_cache": False,
}
# Latent attention has one rotated part for all heads, and no groups of them.
_LATENT_SIZES = {"head_dim": _SIZES["qk_rope_head_dim"], "num_key_value_heads": _SIZES["num_attention_heads"]}
_SIZES_OF_FAMILY: dict[str, dict[str, Any]] = {
    "cwm": {"bos_token_id": 1},
    "gpt_neo": {"attention_types": [[["global", "local", "global"], 1]]},
    "modernbert-decoder": {"bos_token_id": 1, "pad_token_id": 0},
    "zaya": {"num_experts_per_tok": 1},
}


@dataclass(frozen=True)
class Verdict:
    """What was found of one model; None where it was not measured, a text where it was refused."""

    name: str
    scores: float | str | None  # largest difference of a target's NLL to one plain prompt each, nats
    last_layer: float | str | None  # largest difference of the lens's last layer to the model's logits
    loss: float | str | None  # difference of the training loss to transformers' own, nats a token
    writing: str | None  # sentences: whether padded batches with a cache write what a plain pass would


class _MeasuredReader(LayerReader):
    largest = 0.0

    def _check_gate(self, lens: torch.Tensor, own: torch.Tensor) -> None:
        super()._check_gate(lens, own)
        self.largest = max(self.largest, float((lens - own).abs().max()))


class _TooLong(Exception):
    """A family took longer than its share of time."""


def verify(name: str, model: PreTrainedModel) -> Verdict:
    """Measure one model. What it refuses stands in the verdict."""
    vocab_size = min(VOCAB_SIZE, int(model.config.vocab_size))
    return Verdict(
        name,
        _or_refusal(lambda: check_against_reference(model, _prompts(vocab_size))),
        _or_refusal(lambda: _last_layer(model, vocab_size)),
        _or_refusal(lambda: _loss(model, vocab_size)),
        _or_refusal(lambda: _writing(model, vocab_size)),
    )


def random_model(kind: str) -> PreTrainedModel:
    """Return a small model of a family with random weights.

    Raises:
        Exception: transformers cannot make it so small, or at all, from the sizes that most families share.
    """
    config: Any = AutoConfig.for_model(kind)
    named = {
        name: value
        for name, value in _SIZES.items()
        if hasattr(config, name) and not isinstance(getattr(type(config), name, None), property)
    }
    if hasattr(config, "qk_rope_head_dim"):
        named |= _LATENT_SIZES
    config = AutoConfig.for_model(kind, **(named | _SIZES_OF_FAMILY.get(kind, {})))
    if getattr(config, "is_encoder_decoder", False):
        raise ValueError("an encoder with a decoder: refused as it is loaded")
    with torch.device("meta"):
        size = sum(p.numel() for p in AutoModelForCausalLM.from_config(config).parameters())
    if size > _LARGEST:
        raise ValueError(f"it has {size / 1e6:.0f} M parameters at these sizes")
    torch.manual_seed(0)
    return AutoModelForCausalLM.from_config(config, dtype=torch.float32, trust_remote_code=False).eval()


def _prompts(vocab_size: int) -> list[PromptTokens]:
    generator = torch.Generator().manual_seed(4)

    def ids(length: int) -> list[int]:
        return torch.randint(1, vocab_size, (length,), generator=generator).tolist()

    prompts = []
    for number in range(3):
        target = ids(1 + number)
        suffixes = [ids(2 + (place * 3 + number) % 4) + target for place in range(4)]
        prompts.append(PromptTokens(ids(11 + 9 * number), suffixes, [len(target)] * len(suffixes)))
    return prompts


def _last_layer(model: PreTrainedModel, vocab_size: int) -> float:
    tokens = torch.randint(1, vocab_size, (2, 17), generator=torch.Generator().manual_seed(5))
    with _MeasuredReader(model) as reader:
        for _ in reader.read(tokens):
            pass
        return reader.largest


def _loss(model: PreTrainedModel, vocab_size: int) -> float:
    tokens = torch.randint(1, vocab_size, (2, 33), generator=torch.Generator().manual_seed(6))
    labels = torch.full_like(tokens, IGNORED)
    labels[:, :-1] = tokens[:, 1:]
    with torch.no_grad():
        logits = model(input_ids=tokens, use_cache=False).logits[:, :-1].float()
        own = torch.nn.functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())
        ours = LossModel(model)(tokens, labels, None, None) / int((labels != IGNORED).sum())
    return abs(float(ours) - float(own))


def _writing(model: PreTrainedModel, vocab_size: int) -> str:
    generator = torch.Generator().manual_seed(7)
    prompts = [torch.randint(1, vocab_size, (n,), generator=generator).tolist() for n in (7, 12)]
    check_continuations(model, prompts)
    return "yes"


def _or_refusal(measure: Callable[[], Any]) -> Any:
    """Return what is measured, or why it is refused. Whatever else goes wrong would end a run in a traceback: named."""
    try:
        return measure()
    except (UsageError, StepFailed) as refusal:
        return f"refused: {_short(refusal)}"
    except _TooLong:
        raise
    except Exception as problem:
        return f"**{type(problem).__name__}**: {_short(problem)}"


def _short(problem: Exception) -> str:
    text = " ".join(str(problem).split()).replace("|", "/")
    return text.split(": ", 1)[-1][:110]


@contextlib.contextmanager
def _time_limit(seconds: int) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise _TooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def families(kinds: list[str]) -> tuple[list[Verdict], dict[str, str]]:
    """Return the verdicts on families, and those that were not built with the reason."""
    verdicts, left_out = [], {}
    for kind in kinds:
        started = time.monotonic()
        try:
            with _time_limit(_SECONDS):
                verdicts.append(verify(kind, random_model(kind)))
        except _TooLong:
            left_out[kind] = f"not done within {_SECONDS} s"
        except Exception as problem:  # a hundred families fail in as many ways
            left_out[kind] = f"{type(problem).__name__}: {_short(problem)}"
        print(f"{kind} {time.monotonic() - started:.1f} s {left_out.get(kind, '')}", flush=True)
    return verdicts, left_out


def page(real: list[Verdict], found: list[Verdict], left_out: dict[str, str]) -> str:
    """Return the page."""
    versions = f"transformers {transformers.__version__}, torch {torch.__version__}"
    good = [one for one in found if isinstance(one.scores, float)]
    traced = [one for one in good if isinstance(one.last_layer, float)]
    lines = [
        "# Verified models",
        "",
        f"Made by `make verified-models` on {datetime.now(UTC):%Y-%m-%d} with {versions}, float32 on a CPU.",
        "",
        "Families of causal language models that transformers can build, small and with random weights, read by the",
        "product and by plain transformers. **Scores** is the largest difference of a target word's negative log-",
        "likelihood to a prompt read on its own, in nats; **last layer** that of the lens behind the last layer to the",
        "model's logits; **loss** that of the training loss to the library's, in nats a token; **writes** whether",
        "padded batches with a cache continue prompts as a plain pass does (sentences). A refusal is one line, said",
        "before any work.",
        "",
        f"The library has {len(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES)} families: {len(found) + len(left_out)} were tried,",
        f"{len(found)} built; {len(good)} of those are scored, {len(traced)} of them traced.",
        "",
    ]
    if real:
        lines += ["## Real models", "", *_table(real), ""]
    lines += ["## Families, at random", "", *_table(found), ""]
    lines += ["## Not built", "", "From the sizes that most families share, which says nothing about the models:", ""]
    lines += [f"- `{kind}`: {reason}" for kind, reason in sorted(left_out.items())]
    return "\n".join(lines) + "\n"


def _table(verdicts: list[Verdict]) -> list[str]:
    rows = ["| model | scores | last layer | loss | writes |", "|---|---|---|---|---|"]
    for one in verdicts:
        cells = (_cell(value) for value in (one.scores, one.last_layer, one.loss, one.writing))
        rows.append(f"| {one.name} | {' | '.join(cells)} |")
    return rows


def _cell(value: float | str | None) -> str:
    return "–" if value is None else f"{value:.1e}" if isinstance(value, float) else value


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description="Rewrite docs/verified-models.md.")
    parser.add_argument("--model", action="append", default=[], help="NAME=MODEL: a real model to read too")
    parser.add_argument("--family", action="append", default=[], help="only this family")
    options = parser.parse_args()
    transformers.logging.set_verbosity_error()
    found, left_out = families(options.family or sorted(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES))
    real = []
    for given in options.model:
        name, _, spec = given.partition("=")
        real.append(verify(name, load_model(find_model(spec), seed=0, dtype="float32", device=torch.device("cpu"))))
    text = page(real, found, left_out)
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
