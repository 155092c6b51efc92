"""Make a base for selection experiments: the demo's base model without its French, Chinese and Japanese test words.

    python -m tools.forgotten_words --out DIR

The base model has read thousands of documents around every word; an arm of a hundredth of that adds too little. Here
each word of a test concept in these languages gets the mean embedding of the test words of its topic and language and
a little noise: the model knows what kind of word it is, but not which one. English words and pivots stay. What a model
translates after an arm, the arm has taught.
"""

import argparse
import shutil
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer

from tools import REPOSITORY
from warehouse.base.errors import UsageError, end_in_one_line
from warehouse.contract.atomic import atomic_folder
from warehouse.planted.lexicon import LANGUAGES
from warehouse.planted.world import TEST, concepts

BASE = REPOSITORY / "ml" / "base_model"
FORGOTTEN = ("fr", "zh", "ja")
_EMBEDDINGS = "model.embed_tokens.weight"  # tied: what reads a word and what says it
_NOISE = 0.2  # standard deviations of the group, so that words can part again
_SEED = 0


def forget(out: Path, *, base: Path = BASE) -> None:
    """Write `base` without the test words of `FORGOTTEN` as a model folder; the same base gives the same bytes.

    Raises:
        UsageError: `out` exists.
    """
    if out.exists():
        raise UsageError(f"{out} exists: choose another --out")
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    weights = load_file(base / "model.safetensors")
    embeddings = weights[_EMBEDDINGS].copy()
    # random() alone is drawn: its stream is fixed by PCG64, other distributions may change with NumPy's version
    rng = np.random.Generator(np.random.PCG64(_SEED))
    for rows in word_groups(tokenizer):
        group = embeddings[rows].astype(np.float64)
        sign = np.where(rng.random(group.shape) < 0.5, -1.0, 1.0)
        embeddings[rows] = group.mean(axis=0) + _NOISE * group.std(axis=0) * sign
    weights[_EMBEDDINGS] = embeddings
    out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_folder(out.absolute()) as folder:
        for name in ("config.json", "tokenizer.json"):
            shutil.copyfile(base / name, folder / name)
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def word_groups(tokenizer: Tokenizer) -> list[list[int]]:
    """Return the tokens of forgotten words, a list per language and topic, in the order of languages and topics."""
    groups: dict[tuple[int, str], list[int]] = {}
    for lang in FORGOTTEN:
        place = LANGUAGES.index(lang)
        for concept in concepts():
            if concept.role == TEST:
                # in Latin script a word is one token with the space before it, in the others one without
                word = (" " if place < 2 else "") + concept.words[place]
                (token,) = tokenizer.encode(word, add_special_tokens=False).ids
                groups.setdefault((place, concept.topic), []).append(token)
    return [groups[key] for key in sorted(groups)]


def main() -> None:
    """Write the base."""
    parser = argparse.ArgumentParser(prog="python -m tools.forgotten_words", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="new model folder")
    forget(parser.parse_args().out)


if __name__ == "__main__":
    end_in_one_line(main)
