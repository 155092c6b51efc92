"""Tokenizers of every kind against the library itself, on text of many scripts: ids, and the bytes of each token."""

import unicodedata

import numpy as np
import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st

from support.corpora.tokenizer_kinds import KINDS, REFUSED, tokenizer_of_kind
from warehouse.base.errors import UsageError
from warehouse.text.kept_text import Kept
from warehouse.text.token_offsets import place_tokens
from warehouse.text.tokenizing import Encoder, load_tokenizer

SCRIPTS = {
    "Arabic": "الماء بارد في النهر، والبيت قديم",
    "Armenian": "Ջուրը սառն է, տունը հին է",
    "Bengali": "নদীর জল ঠান্ডা, বাড়ি পুরানো",
    "Cyrillic": "Вода в реке холодная, дом старый",
    "Devanagari": "नदी का पानी ठंडा है, घर पुराना है",
    "Ethiopic": "የወንዙ ውሃ ቀዝቃዛ ነው",
    "Georgian": "მდინარის წყალი ცივია, სახლი ძველია",
    "Greek": "Το νερό του ποταμού είναι κρύο",
    "Gujarati": "નદીનું પાણી ઠંડું છે",
    "Gurmukhi": "ਦਰਿਆ ਦਾ ਪਾਣੀ ਠੰਢਾ ਹੈ",
    "Han": "河里的水很冷，房子很旧。",
    "Hangul": "강물이 차갑고 집이 낡았다",
    "Hebrew": "המים בנהר קרים והבית ישן",
    "Japanese": "川の水は冷たい。家は古い、カタカナ。",
    "Kannada": "ನದಿಯ ನೀರು ತಣ್ಣಗಿದೆ",
    "Khmer": "ទឹកទន្លេត្រជាក់",
    "Lao": "ນ້ຳໃນແມ່ນ້ຳເຢັນ",
    "Latin": "L'eau de la rivière est froide; don't ſtop, Straße, İstanbul",
    "Malayalam": "നദിയിലെ വെള്ളം തണുത്തതാണ്",
    "Myanmar": "မြစ်ရေသည်အေးသည်",
    "Sinhala": "ගඟේ වතුර සීතලයි",
    "Tamil": "ஆற்று நீர் குளிர்ந்தது",
    "Telugu": "నది నీరు చల్లగా ఉంది",
    "Thai": "น้ำในแม่น้ำเย็น บ้านเก่า",
    "Tibetan": "གཙང་པོའི་ཆུ་གྲང་མོ་འདུག",
}
PIECES = st.one_of(
    st.sampled_from(sorted(SCRIPTS.values())),
    st.sampled_from(sorted(SCRIPTS.values())).flatmap(
        lambda text: st.text(st.sampled_from(sorted(set(text))), max_size=6)
    ),
    st.sampled_from(
        [" ", "  ", "\n", "\n\n", "\t", "\r\n", "<s>", "<unk>", "<0x0A>", "<|endoftext|>", "①Ａ…", "\u3000", "\u200b"]
    ),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8),
)
TEXTS = st.lists(PIECES, min_size=1, max_size=8).map("".join).map(lambda text: unicodedata.normalize("NFC", text))
KEPT = {
    "roberta": Kept.TEXT_BEHIND_SPACE,
    "llama2": Kept.TEXT_BEHIND_SPACE,
    "mistral": Kept.TEXT_BEHIND_SPACE,
    "xglm": Kept.NORMALISED_TEXT,
    "t5": Kept.NORMALISED_TEXT,
    "mt5": Kept.NORMALISED_TEXT,
    "unigram_nfkc": Kept.NORMALISED_TEXT,
}
FAST = {"gpt2", "gpt_neox", "llama3", "cohere", "smollm2", "gemma", "roberta", "llama2", "mistral"}


@pytest.fixture(scope="module", params=sorted(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def library(kind: str) -> tokenizers.Tokenizer:
    tokenizer = tokenizers.Tokenizer.from_str(tokenizer_of_kind(kind).decode())
    tokenizer.encode_special_tokens = True
    return tokenizer


def test_it_is_loaded_and_what_it_keeps_is_known(kind: str, tmp_path) -> None:
    (tmp_path / "t.json").write_bytes(tokenizer_of_kind(kind))
    loaded = load_tokenizer(str(tmp_path / "t.json"))
    assert Encoder(loaded.content, loaded.engine).kept is KEPT.get(kind, Kept.TEXT)
    assert (loaded.engine == "gigatoken") == (kind in FAST)
    assert loaded.eos_token_id == (0 if (kind not in KEPT and kind != "gemma") or kind == "roberta" else 3)


@settings(deadline=None, max_examples=60)
@given(texts=st.lists(TEXTS, min_size=1, max_size=4))
def test_ids_and_bytes_are_the_library_s(kind: str, library: tokenizers.Tokenizer, texts: list[str]) -> None:
    encoder = Encoder(tokenizer_of_kind(kind), "gigatoken" if kind in FAST else "tokenizers")
    raw = [text.encode() for text in texts]
    encoded = encoder.encode(raw)
    spelt = encoder.spelt(raw, encoded)
    ends, is_same = place_tokens(encoder.vocabulary, encoded, spelt, b"".join(spelt))
    for i, text in enumerate(texts):
        ids = encoded.token_ids[encoded.offsets[i] : encoded.offsets[i + 1]]
        assert ids.tolist() == library.encode(text, add_special_tokens=False).ids
        own = encoder.vocabulary.decode(ids)[0]
        assert is_same[i] == (own == spelt[i])
        if "\u2581" not in text and not (kind == "smollm2" and "\x04" in text):
            assert is_same[i]
            assert encoder.kept is not Kept.TEXT or own == raw[i]
            assert encoder.kept is not Kept.TEXT_BEHIND_SPACE or own in (raw[i], b" " + raw[i])
        # the library's own decoder says the same, but for the space that it takes away again and half characters
        shown = library.decode(ids.tolist(), skip_special_tokens=False)
        if kind != "mt5" and "<0x" not in text and not (kind == "smollm2" and "\x04" in text):
            said = own.decode("utf-8", "replace")
            assert shown in (said, said.removeprefix(" "))
    assert ends.size == encoded.token_ids.size


@pytest.mark.parametrize("script", sorted(SCRIPTS))
def test_a_text_of_each_script_comes_back(kind: str, script: str) -> None:
    encoder = Encoder(tokenizer_of_kind(kind), "tokenizers")
    text = unicodedata.normalize("NFC", SCRIPTS[script]).encode()
    encoded = encoder.encode([text])
    own = encoder.vocabulary.decode(encoded.token_ids)[0]
    if encoder.kept is Kept.NORMALISED_TEXT and encoder.vocabulary.unknown_id in encoded.token_ids:
        assert kind != "mt5"  # which writes bytes
        unknown = np.count_nonzero(encoded.token_ids == encoder.vocabulary.unknown_id)
        assert encoder.lost(encoded).tolist() == [unknown > len(encoded.token_ids) / 10]
    elif encoder.kept is Kept.NORMALISED_TEXT:
        plain = unicodedata.normalize("NFKC", text.decode()).split()
        assert unicodedata.normalize("NFKC", own.decode()).replace(" ", "") == "".join(plain)
    else:
        assert own.removeprefix(b" ") == text
        assert not encoder.lost(encoded).any()


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("word_piece", "its tokens cannot be read as pieces of text: it decodes with WordPiece"),
        ("word_ends", "its tokens cannot be read as pieces of text: it decodes with BPEDecoder"),
        ("lower_case", 's12," becomes "thequickbrownfox'),
        ("without_accents", "it does not give back the text it encodes"),
    ],
)
def test_refused_by_what_fails(kind: str, message: str, tmp_path) -> None:
    assert kind in REFUSED
    (tmp_path / "t.json").write_bytes(tokenizer_of_kind(kind))
    with pytest.raises(UsageError) as problem:
        load_tokenizer(str(tmp_path / "t.json"))
    assert message in str(problem.value)
