"""Which tokenizer a tokenizer.json is: told by what it does to plain text, not by the bytes of the file.

Libraries write the same tokenizer in other bytes: keys in another order, merges as texts or as pairs, defaults spelled
out, padding and truncation set. Homes made before recorded the hash of the bytes, or of what the file says with less of
that taken away: it stays the name of what they hold.
"""

import hashlib
import json
import struct
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

# Sections that decide which ids a text becomes and which text ids become. Left out: padding, truncation and the
# post-processor, which adds special tokens around a text.
_SECTIONS = ("normalizer", "pre_tokenizer", "model", "decoder")
_OFFSETS_ONLY = ("trim_offsets",)  # where a token is said to stand
_TRUE_WHERE_MISSING = {"ByteLevel": ("use_regex",)}


@lru_cache(maxsize=8)
def tokenizer_hash(content: bytes) -> str:
    """Return 32 hex digits that two tokenizer.json share when they do the same to plain text.

    Raises:
        ValueError: it is not JSON, or holds no tokenizer.
    """
    return _names(content)[-1]


def known_as(content: bytes, kept: Mapping[str, Path]) -> str:
    """Return the name under which this tokenizer is kept, else the one under which it would be.

    Args:
        kept: files by the names that were recorded for them, whichever version did.
    """
    return next((name for name in _names(content) if name in kept), None) or next(
        (name for name, file in sorted(kept.items()) if is_same(content, file)), tokenizer_hash(content)
    )


def is_same(content: bytes, file: Path) -> bool:
    """Tell whether a file holds this tokenizer."""
    return tokenizer_hash(content) == tokenizer_hash(file.read_bytes())


def is_recorded_as(content: bytes, recorded: str) -> bool:
    """Tell whether a recorded hash is this tokenizer's: of what it does or, in homes made before, of its bytes."""
    return recorded in _names(content)


def byte_hash(content: bytes) -> str:
    """Return what earlier versions recorded: the hash of the file's bytes."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


@lru_cache(maxsize=8)
def _names(content: bytes) -> tuple[str, str, str]:
    """Return all that a tokenizer was ever recorded as: by its bytes, by what it says, by what that does."""
    parsed = json.loads(content)
    if not isinstance(parsed, dict) or not isinstance(parsed.get("model"), dict):
        raise ValueError("not a tokenizer.json: it has no section `model`")
    said: dict[str, Any] = {name: _told(parsed.get(name)) for name in _SECTIONS}
    said["model"] |= {"type": parsed["model"].get("type") or "BPE"}  # old files leave it out
    if "merges" in parsed["model"]:
        said["model"]["merges"] = [_pair(merge) for merge in parsed["model"]["merges"]]
    said["added_tokens"] = sorted(map(_added, parsed.get("added_tokens") or ()), key=lambda token: token["id"])
    done = said | {name: _told(_done(parsed.get(name))) for name in ("normalizer", "pre_tokenizer", "decoder")}
    if isinstance(decoder := done["decoder"], dict) and decoder.get("type") == "ByteLevel":
        # its options are the pre-tokenizer's and do nothing here; these are the ones that the library writes
        done["decoder"] = {"type": "ByteLevel", "add_prefix_space": True, "use_regex": True}
    done["model"] = _without_effect_dropped(said["model"])
    return byte_hash(content), _digest(said), _digest(done)


def _digest(canonical: dict[str, Any]) -> str:
    text = json.dumps(canonical, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _done(step: Any) -> Any:
    """Return a normaliser, pre-tokenizer or decoder in one spelling: a sequence of one is that one, of none nothing."""
    if not isinstance(step, dict):
        return step
    if step.get("type") == "Sequence":
        ((name, inner),) = ((name, inner) for name, inner in step.items() if name != "type")
        steps: list[Any] = []
        for one in map(_done, inner):
            if one is not None:
                steps += one[name] if one.get("type") == "Sequence" else [one]
        return None if not steps else steps[0] if len(steps) == 1 else {"type": "Sequence", name: steps}
    if step.get("type") == "Metaspace":  # older files say whether a space is prepended with another key
        scheme = step.get("prepend_scheme") or ("always" if step.get("add_prefix_space", True) else "never")
        named = {name: step.get(name) for name in ("type", "replacement")}
        return named | {"prepend_scheme": scheme, "split": step.get("split", True)}
    return step


def _without_effect_dropped(model: dict[str, Any]) -> dict[str, Any]:
    """Return a model without what does nothing: empty affixes, an unknown token where every byte has one, last digits.

    The library reads the scores of a Unigram model with an error in the last digit, and writes what it read.
    """
    idle = {name for name in ("continuing_subword_prefix", "end_of_word_suffix") if model.get(name) == ""}
    vocab = model.get("vocab")
    if model.get("byte_fallback") and isinstance(vocab, dict) and all(f"<0x{b:02X}>" in vocab for b in range(256)):
        idle |= {"unk_token", "fuse_unk"}
    kept = {name: value for name, value in model.items() if name not in idle}
    if isinstance(vocab, list):
        kept["vocab"] = [[token, struct.unpack("<f", struct.pack("<f", score))[0]] for token, score in vocab]
    return kept


def _told(value: Any) -> Any:
    """Return a value without what says nothing: keys that are false or null, and those that concern offsets only."""
    if isinstance(value, list):
        return [_told(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    missing = {name: True for name in _TRUE_WHERE_MISSING.get(str(value.get("type")), ()) if name not in value}
    return {
        name: _told(inner)
        for name, inner in {**value, **missing}.items()
        if inner is not None and inner is not False and name not in _OFFSETS_ONLY and name != "merges"
    }


def _pair(merge: str | list[str]) -> list[str]:
    """Return a merge as a pair; older files write `a b`."""
    return merge.split(" ") if isinstance(merge, str) else list(merge)


def _added(token: dict[str, Any]) -> dict[str, Any]:
    """Return what matters of an added token. How a special one is looked for does not: plain text holds none."""
    kept = ("id", "content", "special") if token.get("special") else tuple(token)
    return {name: value for name, value in token.items() if name in kept and value is not False}
