"""The demo's tokenizer: a byte-level BPE trained on planted words.

Merges are learned within words, never across a joint, and never over the space before a Chinese or Japanese word. So
a word is written by the same tokens whether it stands alone, after a space, or inside a sentence without spaces,
although at run time the tokenizer splits text by GPT-2's plain rule.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from warehouse.contract.atomic import atomic_file
from warehouse.planted.documents import glossary_text
from warehouse.planted.filler import JUNK
from warehouse.planted.lexicon import LANGUAGE_NAMES, LANGUAGES
from warehouse.planted.pieces import NO_PIECE, pieces

VOCAB_SIZE = 3840
END_OF_TEXT = "<|endoftext|>"
# How often a word counts. BPE finishes frequent words first, and a pivot must be one token to be a planted truth.
_KEY_WEIGHT, _OTHER_WEIGHT = 20, 2
# Characters count as words too, and more: pieces of a character then never join pieces of the next one.
_CHARACTER_WEIGHT = 40
_SEPARATOR = "\x00"


def train_tokenizer(*, vocab_size: int = VOCAB_SIZE) -> Tokenizer:
    """Return the tokenizer of the planted world. No randomness: the same world gives the same tokenizer."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(_SEPARATOR, "removed"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_training_texts(), trainer)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    return tokenizer


def _training_texts() -> Iterator[str]:
    """Yield every word of the world as often as it counts, in the form in which it stands in text."""
    words = pieces()
    weights = [_OTHER_WEIGHT] * len(words.texts)
    for table in (words.word, words.pivot, words.function, words.punctuation):
        for number in table.ravel().tolist():
            if number != NO_PIECE:
                weights[number] = _KEY_WEIGHT
    for piece, weight in enumerate(weights):
        bare, spaced = words.rendered[2 * piece], words.rendered[2 * piece + 1]
        unspaced_script = words.script[piece] != words.script[words.function[0, 0]]
        yield _SEPARATOR.join([bare if unspaced_script else spaced] * weight)
    wide = sorted({c for text in words.texts for c in text if len(c.encode()) > 2})
    yield _SEPARATOR.join(wide * _CHARACTER_WEIGHT)
    for name in LANGUAGE_NAMES.values():
        yield _SEPARATOR.join([name, " " + name] * _KEY_WEIGHT)
    prompt = glossary_text(LANGUAGES[0], LANGUAGES[1], [])
    split = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True).pre_tokenize_str(prompt)
    for _, (start, end) in split:
        yield _SEPARATOR.join([prompt[start:end]] * _KEY_WEIGHT)
    for junk in JUNK:
        for _, (start, end) in pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str(junk):
            yield _SEPARATOR.join([junk[start:end]] * _OTHER_WEIGHT)


def main() -> None:
    """Train the tokenizer and write it where the arguments say."""
    parser = argparse.ArgumentParser(description="Train the tokenizer of the planted world.")
    parser.add_argument("--out", type=Path, required=True, help="tokenizer.json to write")
    out: Path = parser.parse_args().out
    with atomic_file(out) as unfinished:
        train_tokenizer().save(str(unfinished))


if __name__ == "__main__":
    main()
