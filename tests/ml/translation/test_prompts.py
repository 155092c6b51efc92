"""Prompts: their text, their shots, and that token pieces are the tokens of the whole."""

import json
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, processors, trainers

from ml.common.token_text import TokenText, is_blank
from ml.models.load import leading_special_ids
from ml.translation.eval_set import EvalSet, Query, open_eval_set
from ml.translation.languages import language_names
from ml.translation.prompts import PromptBuilder, all_prompts
from ml.translation.shots import N_SHOTS, ShotPool
from support.ml_runs.inputs import WORDS, make_eval_set, tokenizer_json
from support.places import SHARED_DATA
from warehouse.contract.errors import UsageError

SHARED_TOKENIZERS = SHARED_DATA / "tokenizers"
NAMES = {"en": "English", "fr": "French", "ja": "Japanese", "zh": "Chinese"}


@pytest.fixture(scope="module")
def opened(eval_set: Path) -> EvalSet:
    return open_eval_set(eval_set)


def builder(opened: EvalSet, tokenizer: Tokenizer) -> PromptBuilder:
    return PromptBuilder(opened, tokenizer, NAMES)


def test_the_text_is_the_methods(opened: EvalSet, tokenizer: Tokenizer) -> None:
    prompt = all_prompts(opened)[0]
    own = builder(opened, tokenizer)
    text = "".join(own.prefix_pieces(prompt)) + own.word_piece(prompt, prompt.query.source_word)
    source, target = NAMES[prompt.query.source_lang], NAMES[prompt.query.target_lang]
    sources, targets = opened.words[prompt.query.source_lang], opened.words[prompt.query.target_lang]
    shots = [f"{source}: {sources[item]}\n{target}: {targets[item]}" for item in prompt.shot_item_ids]
    query = f"{source}: {prompt.query.source_word}\n{target}:"
    assert text == "\n\n".join([f"Please translate words from {source} to {target}.", *shots, query])
    assert len(shots) == 5


def test_shots_never_hold_the_query_and_depend_on_content_only(opened: EvalSet) -> None:
    prompts = {prompt.key: prompt for prompt in all_prompts(opened)}
    assert len(prompts) == 2 * 12 * 5
    for prompt in prompts.values():
        assert len(set(prompt.shot_item_ids)) == N_SHOTS
        assert prompt.query.item_id not in prompt.shot_item_ids
    one = ShotPool(opened, "en", "fr").draw(prompts[100, "en", "fr", 3].query, 3)
    assert one == list(prompts[100, "en", "fr", 3].shot_item_ids)
    assert len({prompts[100, "en", "fr", draw].shot_item_ids for draw in range(5)}) == 5
    assert prompts[100, "en", "fr", 0].shot_item_ids != prompts[100, "fr", "en", 0].shot_item_ids


def test_every_item_is_shown_about_equally_often() -> None:
    words = {"en": {item: f"e{item}" for item in range(40)}, "fr": {item: f"f{item}" for item in range(40)}}
    pool = ShotPool(_eval_set(words), "en", "fr")
    counts = [0] * 40
    for item in range(40):
        for draw in range(50):
            for shot in pool.draw(_query(item), draw):
                counts[shot] += 1
    assert all(180 < count < 320 for count in counts), "expected 250 each"


@given(st.data())
@settings(max_examples=50)
def test_items_that_spell_the_query_or_its_answer_are_no_shots(data: st.DataObject) -> None:
    alphabet = st.sampled_from(["a", "A", "b", "c", "d", "e", "f", "g", "h", "i"])
    n_items = data.draw(st.integers(6, 30))
    words = {
        lang: dict(enumerate(data.draw(st.lists(alphabet, min_size=n_items, max_size=n_items))))
        for lang in ("en", "fr")
    }
    query = Query(0, "en", "fr", words["fr"][0], ((0, words["en"][0]),))
    allowed = [
        item
        for item in range(1, n_items)
        if words["en"][item].lower() != query.source_word.lower()
        and words["fr"][item].lower() != query.target_word.lower()
    ]
    pool = ShotPool(_eval_set(words), "en", "fr")
    if len(allowed) < N_SHOTS:
        with pytest.raises(UsageError, match="too few items"):
            pool.draw(query, 0)
    else:
        shots = pool.draw(query, 0)
        assert len(shots) == len(set(shots)) == N_SHOTS
        assert set(shots) <= set(allowed)


def _eval_set(words: dict[str, dict[int, str]]) -> EvalSet:
    return EvalSet(Path("set"), {}, words, (), "hash")


def _query(item: int) -> Query:
    return Query(item, "en", "fr", f"f{item}", ((0, f"e{item}"),))


@pytest.mark.parametrize("name", ["small", "olmo", "olmo2"])
def test_pieces_are_the_tokens_of_the_whole_text(name: str, tmp_path: Path) -> None:
    path = SHARED_TOKENIZERS / f"{name}.json"
    if name != "small" and not path.exists():
        pytest.skip("the real tokenizers are not beside this checkout")
    tokenizer = Tokenizer.from_str(tokenizer_json()) if name == "small" else Tokenizer.from_file(str(path))
    odd = [
        "New York",
        "3D",
        "e-mail",
        "l'eau",
        "C++",
        "naïve",
        "(x)",
        "U.S.",
        "don't",
        "100%",
        "éa",
        "Ω",
        "a b c",
        "no.",
    ]
    words = {lang: [*own, *(f"{word}{lang}" for word in odd)] for lang, own in WORDS.items()}
    opened = open_eval_set(make_eval_set(tmp_path / "set", n_scored=34, words=words))
    own = builder(opened, tokenizer)
    prompts = all_prompts(opened, draws=[0])
    for pieces, whole in zip(own._from_pieces(prompts), own._from_wholes(prompts), strict=True):
        assert pieces.n_targets == whole.n_targets
        assert [pieces.prefix + suffix for suffix in pieces.suffixes] == [
            whole.prefix + suffix for suffix in whole.suffixes
        ]
    assert own.check(prompts) == "pieces"


def test_tokenizers_that_mark_the_start_of_a_text_are_given_whole_prompts(opened: EvalSet) -> None:
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=["<unk>", "<s>"], show_progress=False)
    tokenizer.train_from_iterator([" ".join(words) for words in WORDS.values()] + [" ".join(NAMES.values())], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    own = builder(opened, tokenizer)
    prompts = all_prompts(opened)
    assert own.check(prompts) == "whole"
    assert own.specials == [1]
    for prompt, tokens in zip(prompts[:8], own.tokenize(prompts[:8]), strict=True):
        for (_, word), suffix, n_target in zip(prompt.query.candidates, tokens.suffixes, tokens.n_targets, strict=True):
            text = "".join(own.prefix_pieces(prompt)) + own.word_piece(prompt, word) + f" {prompt.query.target_word}"
            assert tokens.prefix + suffix == tokenizer.encode(text).ids
            target = tokenizer.encode(prompt.query.target_word, add_special_tokens=False).ids
            assert suffix[-n_target:] == target


def test_no_special_token_is_put_before_prompts_unless_the_tokenizer_does(tokenizer: Tokenizer) -> None:
    assert leading_special_ids(tokenizer) == []


def test_blank_and_partial_tokens(tokenizer: Tokenizer) -> None:
    text = TokenText(tokenizer)
    space, newline = (tokenizer.token_to_id(token) for token in ("Ġ", "Ċ"))
    assert is_blank(tokenizer, space)
    assert is_blank(tokenizer, newline)
    assert not is_blank(tokenizer, tokenizer.encode("water").ids[0])
    ids = tokenizer.encode(" 卵").ids  # not in the training text: written byte by byte
    shown = "".join(text(token) for token in ids)
    assert shown.lstrip() == "".join(f"<0x{byte:02X}>" for byte in "卵".encode())
    assert text(0) == "<eos>"
    assert text(5000) == "<unused 5000>"
    for word in (" water", " maison", "bread", "\n"):
        assert "".join(text(token) for token in tokenizer.encode(word).ids) == word


def test_unknown_languages_are_refused_with_the_way_out() -> None:
    with pytest.raises(UsageError, match="--language-name tlh=NAME"):
        language_names(["en", "tlh"], [])
    assert language_names(["en", "tlh"], ["tlh=Klingon"]) == {"en": "English", "tlh": "Klingon"}
    with pytest.raises(UsageError, match="write code=Name"):
        language_names(["en"], ["Klingon"])


class TestEvalSet:
    def test_rows_that_do_not_fit_together_are_refused(self, eval_set: Path, tmp_path: Path) -> None:
        folder = tmp_path / "set"
        folder.mkdir()
        (folder / "manifest.json").write_text(json.dumps({}))
        items = pq.read_table(eval_set / "items.parquet").to_pylist()
        pq.write_table(
            pa.Table.from_pylist([r for r in items if (r["item_id"], r["lang"]) != (100, "zh")]),
            folder / "items.parquet",
        )
        (folder / "candidates.parquet").write_bytes((eval_set / "candidates.parquet").read_bytes())
        with pytest.raises(UsageError, match="no zh word for item 100, en -> zh"):
            open_eval_set(folder)

    def test_a_folder_that_is_none_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match=r"manifest\.json, items\.parquet, candidates\.parquet missing"):
            open_eval_set(tmp_path)

    def test_order_of_rows_does_not_matter(self, eval_set: Path, tmp_path: Path) -> None:
        folder = tmp_path / "set"
        folder.mkdir()
        (folder / "manifest.json").write_text((eval_set / "manifest.json").read_text())
        for name in ("items", "candidates"):
            table = pq.read_table(eval_set / f"{name}.parquet")
            order = list(range(table.num_rows))
            random.Random(1).shuffle(order)
            pq.write_table(table.take(order), folder / f"{name}.parquet")
        one, other = open_eval_set(eval_set), open_eval_set(folder)
        assert one.queries == other.queries
        assert [p.shot_item_ids for p in all_prompts(one)] == [p.shot_item_ids for p in all_prompts(other)]
