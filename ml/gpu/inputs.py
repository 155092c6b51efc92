"""What the stages read: models of given shapes, an export of random documents, an evaluation set of a given length."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
import yaml
from transformers import PreTrainedModel

from ml.gpu.runner import ROOT
from ml.models.load import find_model, load_model
from warehouse.contract.atomic import atomic_folder
from warehouse.contract.folders import EvaluationSetManifest
from warehouse.contract.hashing import file_hash
from warehouse.contract.presets import TrainPreset
from warehouse.contract.tokenizer_identity import tokenizer_hash

BASE_MODEL = ROOT / "ml" / "base_model"
TOKENIZER = BASE_MODEL / "tokenizer.json"
LANGUAGES = ("en", "fr", "ja", "zh")
_DOCUMENT_TOKENS = 300  # about what a document of a crawl holds

# In a checkout and in the pack, or as a wheel installs them.
_PROFILES = next(path for path in (ROOT / "profiles", ROOT / "warehouse" / "resources" / "profiles") if path.exists())
# The regime of profiles/olmo-1b.yml, in steps that a measurement can afford.
PRESET: dict[str, Any] = yaml.safe_load((_PROFILES / "olmo-1b.yml").read_text())["train"]


def pick_device() -> torch.device:
    """Return the first GPU, or the CPU."""
    return torch.device("cuda", 0) if torch.cuda.is_available() else torch.device("cpu")


def make_preset(**changes: Any) -> TrainPreset:
    """Return the preset of OLMo-1B with some values changed."""
    return TrainPreset(**(PRESET | changes))


def write_preset(path: Path, preset: TrainPreset) -> Path:
    """Write a preset as a file for the trainer."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump({"train": preset.model_dump()}))
    return path


def model_config(path: Path, shape: dict[str, Any]) -> Path:
    """Write a model configuration; a model of it has random weights."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(shape))
    return path


def random_model(folder: Path, shape: dict[str, Any], *, dtype: str, device: torch.device) -> PreTrainedModel:
    """Return a model of random weights."""
    source = find_model(str(model_config(folder / "config.json", shape)))
    return load_model(source, seed=0, dtype=dtype, device=device)


def saved_random_model(folder: Path, shape: dict[str, Any]) -> Path:
    """Return a folder with a model of random bf16 weights, which programs load faster than they could make it."""
    if not folder.exists():
        model = random_model(folder.parent, shape, dtype="bfloat16", device=torch.device("cpu"))
        with atomic_folder(folder) as unfinished:
            model.save_pretrained(unfinished)
            shutil.copyfile(TOKENIZER, unfinished / "tokenizer.json")
    return folder


def random_export(folder: Path, *, n_tokens: int, vocab_size: int, seed: int = 0) -> Path:
    """Write an export of random tokens in documents of about 300; loss is that of a guess, and speed does not care."""
    if folder.exists():
        return folder
    generator = np.random.default_rng(seed)
    tokens = generator.integers(1, vocab_size, n_tokens).astype("<u2")
    ends = np.cumsum(generator.geometric(1 / _DOCUMENT_TOKENS, n_tokens // _DOCUMENT_TOKENS + 1))
    ends = np.unique(np.append(ends[ends < n_tokens - 1], n_tokens - 1))
    tokens[ends] = 0
    starts = np.concatenate([[0], ends[:-1] + 1])
    with atomic_folder(folder) as unfinished:
        tokens.tofile(unfinished / "part-00000.npy")
        columns = {
            "doc_id": pa.array(np.arange(ends.size)),
            "lang": pa.array(["en"] * ends.size),
            "start": pa.array(starts),
            "end": pa.array(ends + 1),
            "n_bytes": pa.array(ends - starts),
        }
        pq.write_table(pa.table(columns), unfinished / "part-00000.documents.parquet")
        shutil.copyfile(TOKENIZER, unfinished / "tokenizer.json")
        shard = {
            "tokens": "part-00000.npy",
            "documents": "part-00000.documents.parquet",
            "n_docs": int(ends.size),
            "n_tokens": n_tokens,
            "blake2b": file_hash(unfinished / "part-00000.npy"),
        }
        manifest = {
            "export_id": f"random-{n_tokens}",
            "corpus": "random",
            "strategy": "original",
            "budget_tokens": n_tokens,
            "n_docs": int(ends.size),
            "n_tokens": n_tokens,
            "tokens_by_lang": {"en": n_tokens},
            "tokenizer_hash": tokenizer_hash(TOKENIZER.read_bytes()),
            "eos_token_id": 0,
            "dtype": "uint16",
            "shards": [shard],
        }
        (unfinished / "manifest.json").write_text(json.dumps(manifest))
    return folder


# Words that the demo's base model has read: what it says of them is not the noise of a guess.
_KNOWN = {
    "en": ("dog", "horse", "cow", "goat", "bird", "duck", "frog", "wolf", "cat", "bear", "fox", "house"),
    "fr": ("chien", "cheval", "vache", "chèvre", "oiseau", "canard", "grenouille", "loup", "chat", "ours", "renard",
           "maison"),
    "ja": ("犬", "馬", "雌牛", "ヤギ", "鳥", "アヒル", "カエル", "オオカミ", "ネコ", "クマ", "キツネ", "家屋"),
    "zh": ("狗", "马匹", "奶牛", "山羊", "小鸟", "鸭子", "青蛙", "狼", "猫", "熊", "狐狸", "房子"),
}  # fmt: skip


def known_words(folder: Path) -> Path:
    """Write an evaluation set of a dozen everyday words."""
    return _write_list(folder, {lang: list(words) for lang, words in _KNOWN.items()}, n_distractors=9)


def long_list(folder: Path, *, n_words: int, n_distractors: int = 9) -> Path:
    """Write an evaluation set of `n_words` items in all 12 directions, with distractors and pivots: CLWTD's size.

    Words are four letters and a number: as many tokens as a word of a list takes that the tokenizer has not seen.
    """
    letters = np.random.default_rng(0).integers(97, 123, (len(LANGUAGES), n_words, 4)).astype(np.uint8)
    words = {
        lang: [f"{bytes(row).decode()}{number}" for number, row in enumerate(letters[place])]
        for place, lang in enumerate(LANGUAGES)
    }
    return _write_list(folder, words, n_distractors=n_distractors)


def _write_list(folder: Path, words: dict[str, list[str]], *, n_distractors: int) -> Path:
    """Write an evaluation set of all words in all directions; the distractors of a word are the words behind it."""
    if folder.exists():
        return folder
    n_words = len(words[LANGUAGES[0]])
    keys: dict[str, list[Any]] = {"item_id": [], "source_lang": [], "target_lang": []}
    candidates: dict[str, list[Any]] = {"candidate": [], "word": []}
    pivots: dict[str, list[Any]] = {
        "item_id": [],
        "source_lang": [],
        "target_lang": [],
        "token_id": [],
        "pivot_rank": [],
    }
    for item in range(n_words):
        for source in LANGUAGES:
            for target in LANGUAGES:
                if source == target:
                    continue
                for place in range(n_distractors + 1):
                    for name, value in zip(keys, (item, source, target), strict=True):
                        keys[name].append(value)
                    candidates["candidate"].append(place)
                    candidates["word"].append(words[source][(item + place) % n_words])
                for rank in range(1, 6):
                    values = (item, source, target, 300 + (7 * item + rank) % 3000, rank)
                    for name, value in zip(pivots, values, strict=True):
                        pivots[name].append(value)
    items = {
        "item_id": [item for _ in LANGUAGES for item in range(n_words)],
        "lang": [lang for lang in LANGUAGES for _ in range(n_words)],
        "word": [word for lang in LANGUAGES for word in words[lang]],
    }
    manifest: EvaluationSetManifest = {
        "eval_set_id": f"eval-{n_words}",
        "corpus": "random",
        "tokenizer_hash": tokenizer_hash(TOKENIZER.read_bytes()),
        "n_items": n_words,
        "languages": sorted(LANGUAGES),
        "n_pivots": 5,
        "content": {},
    }
    with atomic_folder(folder) as unfinished:
        pq.write_table(pa.table(items), unfinished / "items.parquet")
        pq.write_table(pa.table(keys | candidates), unfinished / "candidates.parquet")
        pq.write_table(pa.table(pivots), unfinished / "pivots.parquet")
        shutil.copyfile(TOKENIZER, unfinished / "tokenizer.json")
        (unfinished / "manifest.json").write_text(json.dumps(manifest))
    return folder
