"""Token ids: the fast engine against the reference, and back to text."""

import json
from pathlib import Path

import numpy as np
import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st

from support.corpora.files import small_tokenizer_json, write_tokenizer
from support.places import SHARED_DATA
from warehouse.base.errors import UsageError
from warehouse.contract.token_text import byte_alphabet
from warehouse.text import fast_engine
from warehouse.text.token_rows import token_rows
from warehouse.text.tokenizing import Encoder, EnginesDiffer, load_tokenizer
from warehouse.text.vocabulary import read_vocabulary

CONTENT = small_tokenizer_json().encode()
FAST, REFERENCE = Encoder(CONTENT, "gigatoken"), Encoder(CONTENT, "tokenizers")
PIECES = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=20),
    st.sampled_from(
        ["<|endoftext|>", "<|padding|>", "<|", "|>", " ", "\n", "  ", "'s", "água", "水が", "e\u0301", "🙂"]
    ),
)
TEXTS = st.lists(PIECES, max_size=12).map("".join)


@settings(deadline=None)
@given(texts=st.lists(TEXTS, max_size=5))
def test_engines_agree_and_text_comes_back(texts: list[str]) -> None:
    import unicodedata

    data = [unicodedata.normalize("NFC", text).encode() for text in texts]
    fast, reference = FAST.encode(data), REFERENCE.encode(data)
    assert fast.token_ids.tolist() == reference.token_ids.tolist()
    assert fast.offsets.tolist() == reference.offsets.tolist()
    assert not FAST.vocabulary.is_special[fast.token_ids].any()
    decoded, ends = FAST.vocabulary.decode(fast.token_ids)
    assert decoded == b"".join(data)
    starts = [0, *ends.tolist()]
    assert [len(d) for d in data] == [starts[fast.offsets[i + 1]] - starts[fast.offsets[i]] for i in range(len(data))]


@settings(deadline=None)
@given(texts=st.lists(TEXTS, max_size=40))
def test_few_texts_are_encoded_as_many_are(texts: list[str]) -> None:
    data = [text.encode() for text in texts]
    many = FAST.encode(data + [b"water"] * fast_engine._FEW_TEXTS)
    each = [FAST.encode([text]).token_ids for text in data]
    assert [e.tolist() for e in each] == [
        many.token_ids[many.offsets[i] : many.offsets[i + 1]].tolist() for i in range(len(data))
    ]


def test_ids_equal_the_library_where_no_special_token_is_spelt() -> None:
    text = "The quick brown fox, l'eau de la rivière; 水很冷 川の水"
    library = tokenizers.Tokenizer.from_str(CONTENT.decode())
    assert FAST.encode([text.encode()]).token_ids.tolist() == library.encode(text, add_special_tokens=False).ids


def test_a_difference_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    FAST.check(["water"])
    monkeypatch.setattr(FAST, "_encode_reference", lambda texts: [np.array([1], np.int32)] * len(texts))
    with pytest.raises(EnginesDiffer, match="water"):
        FAST.check(["water"])


def test_byte_alphabet_is_the_library_s() -> None:
    alphabet = byte_alphabet()
    assert set(alphabet) == set(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    assert sorted(alphabet.values()) == list(range(256))


def test_token_rows() -> None:
    vocabulary = read_vocabulary(tokenizers.Tokenizer.from_str(CONTENT.decode()))
    table = token_rows(vocabulary, "h").to_pylist()
    assert [row["token_id"] for row in table] == list(range(500))
    library = tokenizers.Tokenizer.from_str(CONTENT.decode())
    for row in table:
        if row["script"] != "Partial":
            assert row["token"] == library.decode([row["token_id"]], skip_special_tokens=False)
        assert row["is_special"] == (row["token"] in ("<|endoftext|>", "<|padding|>"))
        assert row["is_blank"] == (not row["token"].strip())


def _variant(**changes: object) -> dict:
    return json.loads(CONTENT) | changes


@pytest.mark.parametrize(
    ("tokenizer", "message"),
    [
        (_variant(normalizer={"type": "Lowercase"}), "does not give back the text"),
        ({"vocab": 3}, "not a tokenizer"),
    ],
)
def test_tokenizers_that_lose_text_are_refused(tmp_path: Path, tokenizer: dict, message: str) -> None:
    (tmp_path / "t.json").write_text(json.dumps(tokenizer))
    with pytest.raises(UsageError, match=message):
        load_tokenizer(str(tmp_path / "t.json"))


def test_word_level_tokenizers_are_refused(tmp_path: Path) -> None:
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel({"a b": 0, "[UNK]": 1}, unk_token="[UNK]"))
    words.save(str(tmp_path / "w.json"))
    with pytest.raises(UsageError, match="cannot be read as pieces of text: no decoder"):
        load_tokenizer(str(tmp_path / "w.json"))


def test_folder_with_configuration(tmp_path: Path) -> None:
    folder = tmp_path / "my-model"
    folder.mkdir()
    (folder / "tokenizer.json").write_bytes(write_tokenizer(tmp_path).read_bytes())
    assert load_tokenizer(str(folder)).eos_token_id == 0
    (folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": {"content": "<|padding|>"}}))
    loaded = load_tokenizer(str(folder))
    assert (loaded.name, loaded.eos_token_id, loaded.engine) == ("my-model", 1, "gigatoken")
    assert load_tokenizer(str(folder / "tokenizer.json")).name == "my-model"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["olmo", "olmo2"])
def test_real_tokenizers_on_real_text(name: str) -> None:
    shared = SHARED_DATA
    if not shared.exists():
        pytest.skip("needs the shared data")
    from warehouse.ingest.readers import dolma

    loaded = load_tokenizer(str(shared / "tokenizers" / f"{name}.json"))
    fast, reference = Encoder(loaded.content, "gigatoken"), Encoder(loaded.content, "tokenizers")
    for lang in ("en", "fr", "zh", "ja"):
        piece = next(dolma.pieces(shared / "corpora" / "pydocs" / f"{lang}.jsonl.zst"))
        data = [text.encode() for text in dolma.parse(piece).texts[:60]]
        assert np.array_equal(fast.encode(data).token_ids, reference.encode(data).token_ids)
