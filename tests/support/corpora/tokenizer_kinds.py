"""Small tokenizers of the kinds that models have, trained in milliseconds, in the shapes of their tokenizer.json."""

import base64
import functools
import json
import zlib
from collections.abc import Callable
from typing import Any

import tokenizers
from tokenizers import Regex, decoders, models, normalizers, pre_tokenizers, trainers

from support.corpora.files import TRAINING_TEXT

_MARK = "\u2581"
_SPECIALS = ["<pad>", "<unk>", "<s>", "</s>"]
# Rules compiled by SentencePiece: tab, line break, U+00A0 and U+3000 become a space, circled 1 to 3 digits, a fullwidth
# A an A, an ellipsis three dots; U+200B, U+0001 and U+007F vanish.
_CHARACTERS = (
    "eNod03mwTnUYB/Dnva4pqT/MZCaKbllHXLohSXLtS3ayFRWVFlJU1vHa9y1r1usi+9JKRdRIlLRRKomSrGO9KEt9XmfmM893zjnzW875PZEeET"
    "dH6kombonIKRaRkJMZaTFOziffwE1VIgo8gJxTKGJhkYjc/BEFU++mp0WybcTGZNr1+1MOpIWhkrcatDBFuZ3b8DiKcyd3YIq4mxJkcBelKUNJ"
    "SlGOeyjLW29HZKoVKU8FsriPStxLVe6nMpYd1XmQathC1ORhavAQtalDLbKpTwPqUo/GNKEhjWhGcx6hKa1oTQta8ijtaIPPEh3pRHs60JkuPM"
    "bjPEVXnuBJnuFZuvE0z/MC3XmOnrzEi/TgFXrTi5d5jdfpw6v0ZwB96cfgvEQMVgcyiKEMSx0AhjCSUQxnBGMZx2jGMJFJjGcCbzCVyUxhBjOZ"
    "xnRmM4dZvMl8FjCXeeSyiBwWpv4xS1nMElawkmUsZw1rWcVq3uFd1uF4xAes5z3e5yM+ZgMf8gmb2cgmPksZnYgt6qds4wu28jlf8hXb2cEuvm"
    "EnX/M9P/At3/EjP7GbPfzCr+zlZ/bzO/v4jT+3JOKPyYk4IB/kMH9ziL84xnGOcJRTNybilHqCk5zlHKc5wwUucp48/uUyl/iHa/zHFa7G9cbL"
    "zMzUOlnaKDv+B+MVkUo="
)
_OLMO2_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


@functools.cache
def tokenizer_of_kind(kind: str) -> bytes:
    """Return the tokenizer.json of a kind that is named in `KINDS` or `REFUSED`."""
    return (KINDS | REFUSED)[kind]().encode()


def _byte_level(
    normalizer: Any = None, splits: tuple[Any, ...] = (), *, prefix: bool = False, alphabet: set[str] | None = None
) -> str:
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.normalizer = normalizer
    level = pre_tokenizers.ByteLevel(
        add_prefix_space=prefix, use_regex=not any(isinstance(s, pre_tokenizers.Split) for s in splits)
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*splits, level]) if splits else level
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet() if alphabet is None else alphabet),
        special_tokens=["<|endoftext|>"],
        show_progress=False,
    )
    tokenizer.train_from_iterator(TRAINING_TEXT, trainer)
    return tokenizer.to_str()


def _some_bytes_missing() -> str:
    # U+0104: the byte 0x04, as in SmolLM2
    splits = (pre_tokenizers.Digits(individual_digits=True),)
    return _byte_level(None, splits, alphabet=set(pre_tokenizers.ByteLevel.alphabet()) - {"\u0104"})


def _byte_fallback(normalizer: Any, pre_tokenizer: Any, *, strip: bool) -> str:
    """BPE over marked text, with 256 byte tokens for what the vocabulary lacks."""
    tokenizer = tokenizers.Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, pre_tokenizer
    steps = [decoders.Replace(_MARK, " "), decoders.ByteFallback(), decoders.Fuse()]
    tokenizer.decoder = decoders.Sequence([*steps, decoders.Strip(" ", 1, 0)] if strip else steps)
    trainer = trainers.BpeTrainer(
        vocab_size=400, limit_alphabet=120, special_tokens=_SPECIALS, show_progress=False, max_token_length=12
    )
    tokenizer.train_from_iterator(TRAINING_TEXT, trainer)
    parsed = json.loads(tokenizer.to_str())
    ordered = sorted(parsed["model"]["vocab"], key=parsed["model"]["vocab"].__getitem__)
    tokens = [*_SPECIALS, *(f"<0x{byte:02X}>" for byte in range(256)), *ordered[len(_SPECIALS) :]]
    parsed["model"]["vocab"] = {token: i for i, token in enumerate(tokens)}
    template: list[dict[str, Any]] = [
        {"SpecialToken": {"id": "<s>", "type_id": 0}},
        {"Sequence": {"id": "A", "type_id": 0}},
    ]
    parsed["post_processor"] = {
        "type": "TemplateProcessing",
        "single": template,
        "pair": [*template, {"Sequence": {"id": "B", "type_id": 0}}],
        "special_tokens": {"<s>": {"id": "<s>", "ids": [2], "tokens": ["<s>"]}},
    }
    return json.dumps(parsed, ensure_ascii=False)


def _unigram(
    normalizer: Any, pre_tokenizer: Any, *, byte_fallback: bool = False, prepend: str = "always", size: int = 300
) -> str:
    tokenizer = tokenizers.Tokenizer(models.Unigram())
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, pre_tokenizer
    tokenizer.decoder = decoders.Metaspace(replacement=_MARK, prepend_scheme=prepend)
    trainer = trainers.UnigramTrainer(
        vocab_size=size, special_tokens=_SPECIALS, unk_token="<unk>", show_progress=False, max_piece_length=8
    )
    tokenizer.train_from_iterator(TRAINING_TEXT, trainer)
    if not byte_fallback:
        return tokenizer.to_str()
    parsed = json.loads(tokenizer.to_str())
    pieces = parsed["model"]["vocab"]
    bytes_ = [[f"<0x{byte:02X}>", 0.0] for byte in range(256)]
    parsed["model"] |= {"vocab": [*pieces[: len(_SPECIALS)], *bytes_, *pieces[len(_SPECIALS) :]], "byte_fallback": True}
    return json.dumps(parsed, ensure_ascii=False)


def _sentencepiece_rules() -> normalizers.Precompiled:
    return normalizers.Precompiled(zlib.decompress(base64.b64decode("".join(_CHARACTERS))))


def _metaspace(scheme: str, *, split: bool = True) -> pre_tokenizers.Metaspace:
    return pre_tokenizers.Metaspace(replacement=_MARK, prepend_scheme=scheme, split=split)


def _word_piece() -> str:
    vocab = {token: i for i, token in enumerate(["[UNK]", "the", "##r", "water", "a"])}
    tokenizer = tokenizers.Tokenizer(models.WordPiece(vocab, unk_token="[UNK]"))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.BertPreTokenizer(), decoders.WordPiece()
    return tokenizer.to_str()


def _word_ends() -> str:
    tokenizer = tokenizers.Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.Whitespace(), decoders.BPEDecoder("</w>")
    trainer = trainers.BpeTrainer(
        vocab_size=200, special_tokens=["<unk>"], end_of_word_suffix="</w>", show_progress=False
    )
    tokenizer.train_from_iterator(TRAINING_TEXT, trainer)
    return tokenizer.to_str()


def _replace_spaces() -> normalizers.Normalizer:
    return normalizers.Replace(" ", _MARK)


KINDS: dict[str, Callable[[], str]] = {
    "gpt2": _byte_level,
    "gpt_neox": lambda: _byte_level(normalizers.NFC()),
    "llama3": lambda: _byte_level(
        None, (pre_tokenizers.Split(Regex(_OLMO2_PATTERN), behavior="removed", invert=True),)
    ),
    "cohere": lambda: _byte_level(normalizers.NFC(), (pre_tokenizers.Digits(individual_digits=True),)),
    "smollm2": _some_bytes_missing,
    "roberta": lambda: _byte_level(prefix=True),
    "gemma": lambda: _byte_fallback(
        _replace_spaces(), pre_tokenizers.Split(" ", behavior="merged_with_previous"), strip=False
    ),
    "llama2": lambda: _byte_fallback(
        normalizers.Sequence([normalizers.Prepend(_MARK), _replace_spaces()]), None, strip=True
    ),
    "mistral": lambda: _byte_fallback(None, _metaspace("first", split=False), strip=True),
    "xglm": lambda: _unigram(
        normalizers.Sequence([_sentencepiece_rules(), normalizers.Replace(Regex(" {2,}"), " ")]), _metaspace("always")
    ),
    "t5": lambda: _unigram(
        _sentencepiece_rules(), pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), _metaspace("always")])
    ),
    "mt5": lambda: _unigram(
        normalizers.Sequence([_sentencepiece_rules(), normalizers.Replace(Regex(" {2,}"), _MARK)]),
        _metaspace("always"),
        byte_fallback=True,
    ),
    "unigram_nfkc": lambda: _unigram(normalizers.NFKC(), _metaspace("never"), prepend="never"),
}
REFUSED: dict[str, Callable[[], str]] = {
    "word_piece": _word_piece,
    "word_ends": _word_ends,
    "lower_case": lambda: _byte_level(normalizers.Lowercase()),
    "without_accents": lambda: _unigram(
        normalizers.Sequence([normalizers.NFKD(), normalizers.StripAccents()]), _metaspace("always")
    ),
}
