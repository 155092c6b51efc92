"""Which tokenizer a file is: the same after any library has saved it again, another when it does anything else."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tokenizers

from support.corpora.files import small_tokenizer_json
from support.places import PROJECT
from warehouse.contract.tokenizer_identity import byte_hash, is_recorded_as, is_same, known_as, tokenizer_hash

TEXTS = ["The water is cold, isn't it?\n  L'eau  ", "水 42 🙂", "<|endoftext|> a"]


@pytest.fixture(params=["small", "base model"])
def original(request: pytest.FixtureRequest) -> bytes:
    if request.param == "small":
        return small_tokenizer_json().encode()
    return (PROJECT / "ml" / "base_model" / "tokenizer.json").read_bytes()


def saved_by_transformers(content: bytes, folder: Path) -> bytes:
    from transformers import PreTrainedTokenizerFast

    (folder / "given.json").write_bytes(content)
    opened = PreTrainedTokenizerFast(tokenizer_file=str(folder / "given.json"), eos_token="<|endoftext|>")
    # what a call leaves in the file: padding and truncation
    opened("water", truncation=True, max_length=5, padding="max_length") if opened.pad_token else opened(
        "water", truncation=True, max_length=5
    )
    opened.save_pretrained(folder / "saved")
    return (folder / "saved" / "tokenizer.json").read_bytes()


def test_saved_again_by_transformers_it_is_the_same(original: bytes, tmp_path: Path) -> None:
    saved = saved_by_transformers(original, tmp_path)
    assert saved != original
    assert tokenizer_hash(saved) == tokenizer_hash(original)
    before, after = (tokenizers.Tokenizer.from_str(content.decode()) for content in (original, saved))
    after.no_truncation()
    assert [before.encode(t).ids for t in TEXTS] == [after.encode(t).ids for t in TEXTS]


def test_key_order_white_space_and_the_form_of_merges_say_nothing(original: bytes) -> None:
    parsed = json.loads(original)
    vocab = dict(reversed(parsed["model"]["vocab"].items()))
    pairs = [m.split(" ") if isinstance(m, str) else m for m in parsed["model"]["merges"]]
    defaults = {"byte_fallback": False, "ignore_merges": False, "unk_token": None}
    post = {"type": "TemplateProcessing", "single": [], "pair": [], "special_tokens": {}}
    changed = parsed | {
        "model": {"merges": pairs, **parsed["model"], "vocab": vocab, **defaults} | {"merges": pairs},
        "post_processor": post,
        "padding": {"strategy": "BatchLongest"},
        "added_tokens": parsed["added_tokens"][::-1],
    }
    joined = parsed | {"model": parsed["model"] | {"merges": [" ".join(pair) for pair in pairs]}}
    for other in (changed, joined, dict(reversed(parsed.items()))):
        assert tokenizer_hash(json.dumps(other, indent=3).encode()) == tokenizer_hash(original)


def _swap(parsed: dict[str, Any]) -> None:
    first, second = list(parsed["model"]["vocab"])[-2:]
    vocab = parsed["model"]["vocab"]
    vocab[first], vocab[second] = vocab[second], vocab[first]


def _merges(parsed: dict[str, Any]) -> None:
    parsed["model"]["merges"] = parsed["model"]["merges"][::-1]


def _normalizer(parsed: dict[str, Any]) -> None:
    parsed["normalizer"] = {"type": "NFKC"}


def _prefix(parsed: dict[str, Any]) -> None:
    steps = parsed["pre_tokenizer"]
    level = steps if steps["type"] == "ByteLevel" else steps["pretokenizers"][-1]
    level["add_prefix_space"] = True


def _regex(parsed: dict[str, Any]) -> None:
    steps = parsed["pre_tokenizer"]
    level = steps if steps["type"] == "ByteLevel" else steps["pretokenizers"][-1]
    level["use_regex"] = not level.get("use_regex", True)


def _added(parsed: dict[str, Any]) -> None:
    more = {"id": 10**6, "content": "water", "single_word": False, "lstrip": False, "rstrip": False, "normalized": True}
    parsed["added_tokens"].append(more | {"special": False})


def _special(parsed: dict[str, Any]) -> None:
    parsed["added_tokens"][0]["special"] = False


@pytest.mark.parametrize("change", [_swap, _merges, _normalizer, _prefix, _regex, _added, _special])
def test_what_gives_other_ids_is_another(original: bytes, change: Callable[[dict[str, Any]], None]) -> None:
    parsed = json.loads(original)
    change(parsed)
    assert tokenizer_hash(json.dumps(parsed).encode()) != tokenizer_hash(original)


def test_a_missing_default_that_is_true_counts_as_true() -> None:
    parsed = json.loads(small_tokenizer_json())
    assert parsed["pre_tokenizer"].pop("use_regex") is True
    assert tokenizer_hash(json.dumps(parsed).encode()) == tokenizer_hash(small_tokenizer_json().encode())


def test_names_that_earlier_versions_recorded_are_known(original: bytes, tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    file.write_bytes(original)
    other = json.dumps(json.loads(original), indent=2).encode()
    assert is_recorded_as(original, byte_hash(original))
    assert is_recorded_as(original, tokenizer_hash(original))
    assert not is_recorded_as(other, byte_hash(original))
    assert is_same(other, file)
    assert known_as(original, {}) == tokenizer_hash(original)
    assert known_as(other, {byte_hash(original): file}) == byte_hash(original)
    assert known_as(small_tokenizer_json(vocab_size=400).encode(), {"0" * 32: file}) not in ("0" * 32, "")


@pytest.mark.parametrize("content", [b"", b"[]", b'{"version": "1.0"}', b'{"model": 3}'])
def test_what_is_no_tokenizer_has_no_identity(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"Expecting value|no section `model`"):
        tokenizer_hash(content)
