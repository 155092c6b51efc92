"""The experiment's tokenizer: byte-level BPE of 8,192 entries, learned from the corpora themselves.

    python docs/experiments/real-corpora/tokenizer.py tokenizer.json FILE.jsonl.zst ...

A model that a CPU trains in half an hour cannot learn the 50,280 entries of OLMo's.
"""

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import zstandard
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers


def texts(paths: list[Path]) -> Iterator[str]:
    """Yield the texts of Dolma files in the order given."""
    for path in paths:
        with path.open("rb") as stream:
            for line in io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(stream), encoding="utf-8"):
                yield json.loads(line)["text"]


if __name__ == "__main__":
    target, *sources = map(Path, sys.argv[1:])
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        texts(sorted(sources)),
        trainers.BpeTrainer(
            vocab_size=8192, special_tokens=["<|endoftext|>"], initial_alphabet=sorted(alphabet), show_progress=False
        ),
    )
    tokenizer.save(str(target))
