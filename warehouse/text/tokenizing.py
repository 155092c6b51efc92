"""Text to token ids and back: byte-level BPE, fast where it is exact.

gigatoken encodes; `tokenizers` is the definition it is held to on samples. Ids never hold special tokens: text that
spells one (`<|endoftext|>` in a web page) is encoded as the characters it is.
"""

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tokenizers

from warehouse.base.errors import UsageError
from warehouse.base.shipped import find_shipped
from warehouse.text.vocabulary import NotMadeOfBytes, Vocabulary, read_vocabulary

ENGINES = ("gigatoken", "tokenizers")
_SAMPLE_CHARS = 2000
_FEW_TEXTS = 16  # are encoded one by one: assembling a batch costs half a millisecond
_PROBES = (
    "The quick brown fox, it's 12,345.67 (approx.)\n\n\tdef f(x):\r\n    return x  ",
    "L'été dernier, où étiez-vous ? Ça coûte 3 €… naïve cœur",
    "枢軸トークンは言語を結ぶ。「約束」とカタカナ、ひらがな。",
    "语义枢轴：把一种语言带到另一种语言。①②③",
    "Привет, мир! שלום עולם مرحبا بالعالم नमस्ते दुनिया สวัสดีชาวโลก 안녕 세계",
    "👩‍👩‍👧‍👦 ﷽ 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 \u200b\u2028\u0085 \x01\x7f  trailing ",
    "  leading, don't  'LL we'Ve\n \n x",
)


class EnginesDiffer(Exception):
    """gigatoken and `tokenizers` gave different ids for the same text."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids of a batch, one text after another."""

    token_ids: npt.NDArray[np.int32]
    offsets: npt.NDArray[np.int64]  # text i has token_ids[offsets[i]:offsets[i+1]]


@lru_cache(maxsize=2)
def _parsed(tokenizer_json: bytes) -> tuple[tokenizers.Tokenizer, Vocabulary]:
    reference = tokenizers.Tokenizer.from_str(tokenizer_json.decode())
    reference.encode_special_tokens = True
    return reference, read_vocabulary(reference)


class Encoder:
    """One tokenizer, ready to encode batches with either engine."""

    def __init__(self, tokenizer_json: bytes, engine: str) -> None:
        self.engine = engine
        self._reference, self.vocabulary = _parsed(tokenizer_json)
        if engine == "gigatoken":
            import gigatoken

            self._fast = gigatoken.Tokenizer.from_json(tokenizer_json)

    def encode(self, texts: Sequence[bytes]) -> Encoded:
        """Encode NFC texts (UTF-8), without special tokens."""
        if self.engine == "tokenizers":
            return _joined(self._encode_reference(texts))
        if len(texts) <= _FEW_TEXTS:
            token_ids, offsets = _arrays([self._fast.encode(text).view(np.int32) for text in texts])
        else:
            batch = self._fast.encode_batch(list(texts), parallel=False).layout
            token_ids, offsets = np.asarray(batch.content.data).view(np.int32), np.asarray(batch.offsets.data)
        special = np.flatnonzero(self.vocabulary.is_special[token_ids])
        if not len(special):
            return Encoded(token_ids, offsets)
        # gigatoken always recognises special tokens; the reference can be told not to
        affected = set((np.searchsorted(offsets, special, "right") - 1).tolist())
        parts = [token_ids[offsets[i] : offsets[i + 1]] for i in range(len(texts))]
        for i in affected:
            parts[i] = self._encode_reference([texts[i]])[0]
        return _joined(parts)

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
        encodings = self._reference.encode_batch_fast([t.decode() for t in texts], add_special_tokens=False)
        return [np.array(encoding.ids, np.int32) for encoding in encodings]


def _joined(parts: list[npt.NDArray[np.int32]]) -> Encoded:
    return Encoded(*_arrays(parts))


def _arrays(parts: list[npt.NDArray[np.int32]]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    offsets = np.concatenate([[0], np.cumsum([len(p) for p in parts], dtype=np.int64)])
    return np.concatenate(parts) if parts else np.empty(0, np.int32), offsets


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
    if path.is_file():
        content = path.read_bytes()
        name = path.parent.resolve().name if path.stem == "tokenizer" else path.stem
    elif path.suffix == ".json" or path.exists() or file_or_name.startswith((".", "/", "~")):
        raise UsageError(f"--tokenizer {file_or_name}: no such tokenizer file")
    else:
        content, name = _from_hub(file_or_name), file_or_name
    try:
        vocabulary = _parsed(content)[1]
    except NotMadeOfBytes as error:
        raise UsageError(f"--tokenizer {file_or_name}: not a byte-level BPE tokenizer ({error})") from None
    except Exception as error:  # the library raises bare Exception
        raise UsageError(f"--tokenizer {file_or_name}: not a tokenizer of the tokenizers library ({error})") from None
    _check_reversible(file_or_name, content, vocabulary)
    specials = vocabulary.token_ids
    known = [specials[t] for t in (eos_token, "<|endoftext|>", "</s>", "<|end_of_text|>", "<eos>") if t in specials]
    return LoadedTokenizer(name, content, known[0] if known else None, vocabulary, _probed_engine(content))


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


def _check_reversible(given: str, content: bytes, vocabulary: Vocabulary) -> None:
    probes = [unicodedata.normalize("NFC", probe).encode() for probe in _PROBES]
    encoded = Encoder(content, "tokenizers").encode(probes)
    if vocabulary.decode(encoded.token_ids)[0] != b"".join(probes):
        raise UsageError(
            f"--tokenizer {given}: it does not give back the text it encodes (a byte-level BPE without lower-casing "
            "or added spaces does), so words could not be placed in its tokens"
        )


def _probed_engine(content: bytes) -> str:
    try:
        Encoder(content, "gigatoken").check(_PROBES)
    except EnginesDiffer:
        return "tokenizers"
    except Exception:  # a tokenizer that gigatoken cannot load: it says so with bare exceptions of its own
        return "tokenizers"
    return "gigatoken"
