"""Which tokenizer a file is: the same after any library has saved it again, another when it does anything else."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tokenizers

from support.corpora.files import small_tokenizer_json
from support.corpora.tokenizer_kinds import KINDS, tokenizer_of_kind
from support.places import PROJECT
from warehouse.contract.tokenizer_identity import byte_hash, is_recorded_as, is_same, known_as, tokenizer_hash

RECORDED_BEFORE = "655729c24af0a448397c2c669a160093"
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


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_saved_again_by_transformers_is_the_same(kind: str, tmp_path: Path) -> None:
    from transformers import PreTrainedTokenizerFast

    original = tokenizer_of_kind(kind)
    (tmp_path / "given.json").write_bytes(original)
    PreTrainedTokenizerFast(tokenizer_file=str(tmp_path / "given.json")).save_pretrained(tmp_path / "saved")
    assert tokenizer_hash((tmp_path / "saved" / "tokenizer.json").read_bytes()) == tokenizer_hash(original)


def test_kinds_are_told_apart() -> None:
    assert len({tokenizer_hash(tokenizer_of_kind(kind)) for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize(
    ("kind", "place", "written", "says_the_same"),
    [
        ("gpt2", ("model",), {"continuing_subword_prefix": "", "end_of_word_suffix": ""}, True),
        ("gpt2", ("model",), {"end_of_word_suffix": "</w>"}, False),
        ("gpt2", ("decoder",), {"add_prefix_space": False, "use_regex": False}, True),
        ("gemma", ("model",), {"unk_token": None, "fuse_unk": False}, True),
        ("gemma", ("decoder", "decoders", 0), {"content": "_"}, False),
        ("gemma", ("normalizer",), {"content": "_"}, False),
        ("mistral", ("pre_tokenizer",), {"prepend_scheme": "never"}, False),
        ("mistral", ("pre_tokenizer",), {"split": True}, False),
        ("xglm", ("model",), {"unk_id": 2}, False),
        ("xglm", ("pre_tokenizer",), {"add_prefix_space": True, "str_rep": "\u2581"}, True),
    ],
)
def test_spellings_of_the_same_say_the_same(
    kind: str, place: tuple[str | int, ...], written: dict[str, Any], says_the_same: bool
) -> None:
    original = tokenizer_of_kind(kind)
    parsed = changed = json.loads(original)
    for name in place:
        changed = changed[name]
    changed |= written
    assert (tokenizer_hash(json.dumps(parsed).encode()) == tokenizer_hash(original)) is says_the_same


def test_a_sequence_of_one_is_that_one() -> None:
    parsed = json.loads(tokenizer_of_kind("gpt_neox"))
    parsed["normalizer"] = {"type": "Sequence", "normalizers": [parsed["normalizer"]]}
    assert tokenizer_hash(json.dumps(parsed).encode()) == tokenizer_hash(tokenizer_of_kind("gpt_neox"))
    without, empty = parsed | {"normalizer": None}, parsed | {"normalizer": {"type": "Sequence", "normalizers": []}}
    assert tokenizer_hash(json.dumps(without).encode()) == tokenizer_hash(json.dumps(empty).encode())
    assert tokenizer_hash(json.dumps(without).encode()) != tokenizer_hash(json.dumps(parsed).encode())


def test_what_the_version_before_recorded_is_known() -> None:
    """The hash that 0.1 gave the shipped tokenizer: homes hold it in every table."""
    shipped = (PROJECT / "ml" / "base_model" / "tokenizer.json").read_bytes()
    assert is_recorded_as(shipped, RECORDED_BEFORE)


@pytest.mark.parametrize("content", [b"", b"[]", b'{"version": "1.0"}', b'{"model": 3}'])
def test_what_is_no_tokenizer_has_no_identity(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"Expecting value|no section `model`"):
        tokenizer_hash(content)
