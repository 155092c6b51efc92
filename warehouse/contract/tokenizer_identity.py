"""Which tokenizer a tokenizer.json is: told by what it does to plain text, not by the bytes of the file.

Libraries write the same tokenizer in other bytes: keys in another order, merges as texts or as pairs, defaults spelled
out, padding and truncation set. Homes made before recorded the hash of the bytes: it stays the name of what they hold.
"""

import hashlib
import json
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
    parsed = json.loads(content)
    if not isinstance(parsed, dict) or not isinstance(parsed.get("model"), dict):
        raise ValueError("not a tokenizer.json: it has no section `model`")
    canonical: dict[str, Any] = {name: _told(parsed.get(name)) for name in _SECTIONS}
    canonical["model"] |= {"type": parsed["model"].get("type") or "BPE"}  # old files leave it out
    if "merges" in parsed["model"]:
        canonical["model"]["merges"] = [_pair(merge) for merge in parsed["model"]["merges"]]
    canonical["added_tokens"] = sorted(map(_added, parsed.get("added_tokens") or ()), key=lambda token: token["id"])
    text = json.dumps(canonical, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


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


def _names(content: bytes) -> tuple[str, str]:
    return byte_hash(content), tokenizer_hash(content)


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
