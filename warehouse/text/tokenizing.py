"""Text to token ids and back, fast where it is exact.

gigatoken encodes; `tokenizers` is the definition it is held to on samples. Ids never hold special tokens: text that
spells one (`<|endoftext|>` in a web page) is encoded as the characters it is.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tokenizers

from warehouse.base.errors import UsageError
from warehouse.base.shipped import find_shipped
from warehouse.contract.token_text import NotSpelled
from warehouse.text.fast_engine import FastEngine, joined
from warehouse.text.kept_text import PROBES, Kept, LosesText, kept_of_probes, lost_texts, texts_that_tokens_spell
from warehouse.text.vocabulary import Vocabulary, read_vocabulary

ENGINES = ("gigatoken", "tokenizers")
_SAMPLE_CHARS = 2000


class EnginesDiffer(Exception):
    """gigatoken and `tokenizers` gave different ids for the same text."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids of a batch, one text after another."""

    token_ids: npt.NDArray[np.int32]
    offsets: npt.NDArray[np.int64]  # text i has token_ids[offsets[i]:offsets[i+1]]


@dataclass(frozen=True, slots=True)
class _Parsed:
    reference: tokenizers.Tokenizer
    vocabulary: Vocabulary
    kept: Kept


@lru_cache(maxsize=2)
def _parsed(tokenizer_json: bytes) -> _Parsed:
    reference = tokenizers.Tokenizer.from_str(tokenizer_json.decode())
    reference.encode_special_tokens = True
    reference.no_padding()
    reference.no_truncation()
    vocabulary = read_vocabulary(reference)
    return _Parsed(reference, vocabulary, kept_of_probes(vocabulary, _ids(reference, PROBES)))


def _ids(reference: tokenizers.Tokenizer, texts: Sequence[str]) -> list[npt.NDArray[np.int32]]:
    encodings = reference.encode_batch_fast(list(texts), add_special_tokens=False)
    return [np.array(encoding.ids, np.int32) for encoding in encodings]


class Encoder:
    """One tokenizer, ready to encode batches with either engine."""

    def __init__(self, tokenizer_json: bytes, engine: str) -> None:
        parsed = _parsed(tokenizer_json)
        self.engine, self.vocabulary, self.kept, self._reference = (
            engine,
            parsed.vocabulary,
            parsed.kept,
            parsed.reference,
        )
        if engine == "gigatoken":
            self._fast = FastEngine(tokenizer_json, parsed.vocabulary.is_special)

    def encode(self, texts: Sequence[bytes]) -> Encoded:
        """Encode NFC texts (UTF-8), without special tokens."""
        if self.engine == "tokenizers":
            return Encoded(*joined(self._encode_reference(texts)))
        token_ids, offsets = self._fast.encode(texts)
        inexact = np.flatnonzero(self._fast.wants_reference[token_ids])
        if not len(inexact):
            return Encoded(token_ids, offsets)
        affected = set((np.searchsorted(offsets, inexact, "right") - 1).tolist())
        parts = [token_ids[offsets[i] : offsets[i + 1]] for i in range(len(texts))]
        for i in affected:
            parts[i] = self._encode_reference([texts[i]])[0]
        return Encoded(*joined(parts))

    def spelt(self, texts: Sequence[bytes], encoded: Encoded) -> list[bytes]:
        """Return what the tokens of each text spell: the text, where it is kept as the tokenizer keeps texts."""
        return texts_that_tokens_spell(self.kept, self.vocabulary, texts, encoded.token_ids, encoded.offsets)

    def lost(self, encoded: Encoded) -> npt.NDArray[np.bool_]:
        """Tell which texts the tokenizer has no tokens for."""
        return lost_texts(self.kept, self.vocabulary, encoded.token_ids, encoded.offsets)

    def check(self, texts: Sequence[str]) -> None:
        """Hold the fast engine to the reference on the beginnings of some texts.

        Raises:
            EnginesDiffer: a text was encoded differently.
        """
        samples = [text[:_SAMPLE_CHARS].encode() for text in texts]
        if self.engine == "tokenizers" or not samples:
            return
        fast = self.encode(samples)
        for i, expected in enumerate(self._encode_reference(samples)):
            if not np.array_equal(fast.token_ids[fast.offsets[i] : fast.offsets[i + 1]], expected):
                raise EnginesDiffer(f"on a text that begins {texts[i][:60]!r}")

    def _encode_reference(self, texts: Sequence[bytes]) -> list[npt.NDArray[np.int32]]:
        return _ids(self._reference, [text.decode() for text in texts])


@dataclass(frozen=True, slots=True)
class LoadedTokenizer:
    """A tokenizer that was found usable."""

    name: str
    content: bytes  # tokenizer.json
    eos_token_id: int | None  # stated beside it or by its vocabulary; None when neither tells
    vocabulary: Vocabulary
    engine: str  # the fastest one that agrees with the reference on the probes


def load_tokenizer(file_or_name: str) -> LoadedTokenizer:
    """Return the tokenizer of a tokenizer.json, of a folder that holds one, or of a model name on the hub.

    `ml/base_model/tokenizer.json` is the tokenizer that comes with the product, wherever that is installed.

    Raises:
        UsageError: the file does not exist, is no tokenizer, or does not give back the text it encodes.
    """
    path, eos_token = Path(file_or_name).expanduser(), None
    if not path.exists():
        path = find_shipped(file_or_name) or path
    if path.is_dir():
        eos_token = _stated_eos(path / "tokenizer_config.json")
        path = path / "tokenizer.json"
    if path.suffix == ".gguf":
        raise UsageError(
            f"--tokenizer {file_or_name}: give a tokenizer.json; `python -m ml.dequantise {file_or_name} --out FOLDER` "
            "writes the one that transformers makes of a GGUF file"
        )
    if path.is_file():
        content = path.read_bytes()
        name = path.parent.resolve().name if path.stem == "tokenizer" else path.stem
    elif path.suffix == ".json" or path.exists() or file_or_name.startswith((".", "/", "~")):
        raise UsageError(f"--tokenizer {file_or_name}: no such tokenizer file")
    else:
        content, name = _from_hub(file_or_name), file_or_name
    try:
        parsed = _parsed(content)
    except (NotSpelled, LosesText) as error:
        raise UsageError(f"--tokenizer {file_or_name}: {_refusal(error)}") from None
    except Exception as error:  # the library raises bare Exception
        raise UsageError(f"--tokenizer {file_or_name}: not a tokenizer of the tokenizers library ({error})") from None
    specials = parsed.vocabulary.token_ids
    known = [specials[t] for t in (eos_token, "<|endoftext|>", "</s>", "<|end_of_text|>", "<eos>") if t in specials]
    return LoadedTokenizer(name, content, known[0] if known else None, parsed.vocabulary, _probed_engine(content))


def _stated_eos(config: Path) -> str | None:
    try:
        stated = json.loads(config.read_text()).get("eos_token")
    except (OSError, ValueError):
        return None
    return stated.get("content") if isinstance(stated, dict) else stated


def _from_hub(name: str) -> bytes:
    try:
        return tokenizers.Tokenizer.from_pretrained(name).to_str().encode()
    except Exception as error:  # the library raises bare Exception
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(
            f"--tokenizer {name}: no such file, and not to be had from the Hugging Face hub ({reason}); "
            "give the path of a tokenizer.json"
        ) from None


def _refusal(error: NotSpelled | LosesText) -> str:
    if isinstance(error, NotSpelled):
        return str(error)
    return f"it does not give back the text it encodes ({error}), so words could not be found in its tokens"


def _probed_engine(content: bytes) -> str:
    try:
        Encoder(content, "gigatoken").check(PROBES)
    except EnginesDiffer:
        return "tokenizers"
    except Exception:  # a tokenizer that gigatoken cannot load: it says so with bare exceptions of its own
        return "tokenizers"
    return "gigatoken"
