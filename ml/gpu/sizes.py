"""How large everything is: at full size on a GPU, and tiny for the rehearsal on a CPU."""

from dataclasses import dataclass
from typing import Any

# OLMo-1B as published (1.18 B parameters, tied embeddings); weights are random, which speed does not see.
OLMO_1B: dict[str, Any] = {
    "model_type": "olmo",
    "vocab_size": 50304,
    "hidden_size": 2048,
    "intermediate_size": 8192,
    "num_hidden_layers": 16,
    "num_attention_heads": 16,
    "max_position_embeddings": 2048,
    "tie_word_embeddings": True,
    "eos_token_id": 0,
    "pad_token_id": None,
}
_TINY = OLMO_1B | {
    "vocab_size": 3840,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 256,
}
_PLANTED = OLMO_1B | {"vocab_size": 3840, "max_position_embeddings": 512}


def _scale(width: int, layers: int, heads: int, inner: int) -> dict[str, Any]:
    shape = {"hidden_size": width, "num_hidden_layers": layers, "num_attention_heads": heads}
    return _PLANTED | shape | {"intermediate_size": inner}


@dataclass(frozen=True)
class Budget:
    """How an arm of the ladder reads: tokens, and how many of them a step takes."""

    tokens: int
    step_tokens: int
    corpus_tokens: int  # of the corpus that the arm is chosen from, about


@dataclass(frozen=True)
class Sizes:
    """Everything that differs between the full run and the rehearsal."""

    large: dict[str, Any]  # the model whose speed counts
    seq_len: int
    compile_blocks: bool  # as the preset says; compiling takes minutes on a CPU
    micro_batches: tuple[int, ...]  # sequences per pass that are tried
    micro_batch: int  # the preset's
    batches_per_step: int
    warm_up_steps: int
    timed_steps: int
    chunk_bytes: tuple[int, ...]  # of the loss's logits
    list_words: int  # of the list that is scored whole
    sample_prompts: int  # that a variant of scoring is timed on
    reference_prompts: int  # that are scored one at a time
    batch_tokens: tuple[int, ...]
    default_batch_tokens: int
    cpu_prompts: int  # that the CPU scores in fp32, to be compared
    train_steps: int  # of the comparison of losses
    copy_bytes: int
    product_size: int
    scales: dict[str, dict[str, Any]]  # of the ladder, smallest first
    budgets: tuple[Budget, ...]
    learning_rates: tuple[float, ...]
    arms: tuple[str, ...]  # the first is what the others are held against
    seeds: int
    ladder_items: int  # words that a model is evaluated with, at most
    base_blocks: int  # of 4,096 documents, which the base models read
    base_step_tokens: int
    ladder_seq_len: int
    ladder_workers: int


FULL_SIZES = Sizes(
    large=OLMO_1B,
    seq_len=2048,
    compile_blocks=True,
    micro_batches=(4, 8, 16, 32),
    micro_batch=8,
    batches_per_step=4,
    warm_up_steps=2,
    timed_steps=3,
    chunk_bytes=(1 << 28, 1 << 30, 1 << 32),
    list_words=2000,
    sample_prompts=6000,
    reference_prompts=60,
    batch_tokens=(16_384, 65_536, 131_072, 262_144),
    default_batch_tokens=65_536,
    cpu_prompts=12,
    train_steps=40,
    copy_bytes=1 << 33,
    product_size=8192,
    scales={
        "1M": _scale(128, 3, 4, 320),
        "4M": _scale(256, 4, 4, 704),
        "15M": _scale(384, 8, 6, 1024),
        "60M": _scale(768, 8, 12, 2048),
    },
    budgets=(
        Budget(300_000, 4_096, 4_200_000),
        Budget(10_000_000, 16_384, 40_000_000),
        Budget(100_000_000, 131_072, 400_000_000),
    ),
    learning_rates=(3.0e-3, 1.0e-3),
    arms=("random_multilingual", "original", "no_mixed", "planted_truth"),
    seeds=4,
    ladder_items=92,
    base_blocks=264,  # 33.6 M tokens, as ml/base_model read
    base_step_tokens=32_768,
    ladder_seq_len=256,
    ladder_workers=6,
)
REHEARSAL_SIZES = Sizes(
    large=_TINY,
    seq_len=64,
    compile_blocks=False,
    micro_batches=(2,),
    micro_batch=2,
    batches_per_step=2,
    warm_up_steps=1,
    timed_steps=1,
    chunk_bytes=(1 << 20,),
    list_words=12,
    sample_prompts=12,
    reference_prompts=2,
    batch_tokens=(1024,),
    default_batch_tokens=1024,
    cpu_prompts=4,
    train_steps=6,
    copy_bytes=1 << 20,
    product_size=128,
    scales={"s": _scale(32, 2, 2, 64), "m": _scale(48, 2, 2, 96)},
    budgets=(Budget(4_096, 1_024, 60_000),),
    learning_rates=(3.0e-3,),
    arms=("random_multilingual", "planted_truth"),
    seeds=2,
    ladder_items=2,
    base_blocks=1,
    base_step_tokens=4_096,
    ladder_seq_len=128,
    ladder_workers=1,
)


def sizes_of(name: str) -> Sizes:
    """Return the sizes `full` or `rehearsal`."""
    return {"full": FULL_SIZES, "rehearsal": REHEARSAL_SIZES}[name]
