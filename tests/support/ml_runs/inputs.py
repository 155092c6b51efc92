"""Small inputs made by hand: a byte-level tokenizer, an export folder, an evaluation set, model configurations.

Nothing here uses the warehouse: these are the written schemas of what passes between the rooms.
"""

import json
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

EOS = 0
VOCAB_SIZE = 600
LANGUAGES = ("en", "fr", "ja", "zh")
_WORDS = """
en water fire house tree river stone bread night moon horse fish bird snow salt milk gold king bridge garden letter
fr eau feu maison arbre fleuve pierre pain nuit lune cheval poisson oiseau neige sel lait or roi pont jardin lettre
ja 水 火 家 木 川 石 パン 夜 月 馬 魚 鳥 雪 塩 牛乳 金 王 橋 庭 手紙
zh 水 火 房子 树 河 石头 面包 夜晚 月亮 马 鱼 鸟 雪 盐 牛奶 黄金 国王 桥 花园 信
"""
WORDS = {line.split()[0]: line.split()[1:] for line in _WORDS.strip().splitlines()}
# what becomes of logits behind the head, strong enough to show
CHANGED_LOGITS: list[tuple[str, dict[str, object]]] = [
    ("gemma2", {"num_key_value_heads": 2, "head_dim": 8, "final_logit_softcapping": 0.75}),
    ("granite", {"num_key_value_heads": 2, "logits_scaling": 4.0}),
    ("cohere", {"num_key_value_heads": 2, "logit_scale": 0.25}),
]
ARCHITECTURES = ("gpt_neox", "olmo", "olmo2", "llama", "qwen2", "bloom")


@lru_cache
def tokenizer_json() -> str:
    """Return a byte-level BPE of at most 600 tokens; `<eos>` is token 0."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB_SIZE,
        special_tokens=["<eos>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    text = "Please translate words from English to French Japanese Chinese.\n\nEnglish: French: Japanese: Chinese: "
    tokenizer.train_from_iterator([text * 5, *(" ".join(words) for words in WORDS.values())] * 3, trainer)
    return tokenizer.to_str()


@lru_cache
def tokenizer_with_bos_json() -> str:
    """Return the same tokenizer with a template that begins every text with `<bos>`, a token behind all others."""
    tokenizer = Tokenizer.from_str(tokenizer_json())
    tokenizer.add_special_tokens(["<bos>"])
    bos = tokenizer.token_to_id("<bos>")
    assert bos < VOCAB_SIZE
    tokenizer.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", bos)])
    return tokenizer.to_str()


def make_export(
    folder: Path,
    *,
    n_docs: int = 60,
    n_shards: int = 2,
    strategy: str = "original",
    languages: tuple[str, ...] = ("en", "fr"),
) -> Path:
    """Write an export of short random sentences in the OLMo memmap layout."""
    folder.mkdir(parents=True)
    (folder / "tokenizer.json").write_text(tokenizer_json())
    tokenizer = Tokenizer.from_str(tokenizer_json())
    generator = np.random.default_rng(7)
    shards, tokens_by_lang = [], dict.fromkeys(languages, 0)
    for shard in range(n_shards):
        ids: list[int] = []
        rows = []
        for number in range(n_docs // n_shards):
            lang = languages[number % len(languages)]
            text = " ".join(generator.choice(WORDS[lang], size=int(generator.integers(3, 12))))
            own = [*tokenizer.encode(text).ids, EOS]
            rows.append(
                {
                    "doc_id": shard * 1000 + number,
                    "lang": lang,
                    "start": len(ids),
                    "end": len(ids) + len(own),
                    "n_bytes": len(text.encode()),
                }
            )
            ids += own
            tokens_by_lang[lang] += len(own)
        name = f"part-{shard:05d}"
        data = np.array(ids, dtype="<u2").tobytes()
        (folder / f"{name}.npy").write_bytes(data)
        pq.write_table(pa.Table.from_pylist(rows), folder / f"{name}.documents.parquet")
        shards.append(
            {
                "tokens": f"{name}.npy",
                "documents": f"{name}.documents.parquet",
                "n_docs": len(rows),
                "n_tokens": len(ids),
                "blake2b": blake2b(data, digest_size=16).hexdigest(),
            }
        )
    n_tokens = sum(shard["n_tokens"] for shard in shards)
    manifest = {
        "export_id": f"{strategy}-test",
        "corpus": "test",
        "strategy": strategy,
        "budget_tokens": n_tokens,
        "seed": 0,
        "n_docs": n_docs,
        "n_tokens": n_tokens,
        "tokens_by_lang": tokens_by_lang,
        "tokenizer_hash": blake2b(tokenizer_json().encode(), digest_size=16).hexdigest(),
        "eos_token_id": EOS,
        "dtype": "uint16",
        "shards": shards,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def make_eval_set(
    folder: Path,
    *,
    n_scored: int = 6,
    n_distractors: int = 9,
    languages: tuple[str, ...] = LANGUAGES,
    words: dict[str, list[str]] | None = None,
) -> Path:
    """Write an evaluation set of all ordered language pairs over the first `n_scored` items."""
    words = words or WORDS
    folder.mkdir(parents=True)
    tokenizer = Tokenizer.from_str(tokenizer_json())
    n_items = len(words[languages[0]])
    items = [
        {"item_id": 100 + number, "lang": lang, "word": words[lang][number]}
        for lang in languages
        for number in range(n_items)
    ]
    candidates, pivots = [], []
    for number in range(n_scored):
        for source in languages:
            for target in (lang for lang in languages if lang != source):
                key = {"item_id": 100 + number, "source_lang": source, "target_lang": target}
                wrong = [words[source][(number + step) % n_items] for step in range(1, n_distractors + 1)]
                wrong = [word for word in dict.fromkeys(wrong) if word != words[source][number]]
                for place, word in enumerate([words[source][number], *wrong]):
                    candidates.append(key | {"candidate": place, "word": word})
                ids = tokenizer.encode(f" {WORDS['en'][(number + 3) % 20]} {WORDS['en'][(number + 7) % 20]}").ids
                for rank, token_id in enumerate(dict.fromkeys(ids), start=1):
                    pivots.append(key | {"token_id": token_id, "pivot_rank": rank})
    key_types = [("item_id", pa.int64()), ("source_lang", pa.string()), ("target_lang", pa.string())]
    pq.write_table(pa.Table.from_pylist(items), folder / "items.parquet")
    pq.write_table(
        pa.Table.from_pylist(
            candidates, schema=pa.schema([*key_types, ("candidate", pa.int32()), ("word", pa.string())])
        ),
        folder / "candidates.parquet",
    )
    pq.write_table(
        pa.Table.from_pylist(
            pivots, schema=pa.schema([*key_types, ("token_id", pa.int32()), ("pivot_rank", pa.int32())])
        ),
        folder / "pivots.parquet",
    )
    manifest = {
        "eval_set_id": folder.name,
        "corpus": "test",
        "n_items": n_items,
        "n_pivots": 2,
        "content": {},
        "languages": list(languages),
        "tokenizer_hash": blake2b(tokenizer_json().encode(), digest_size=16).hexdigest(),
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def make_config(folder: Path, model_type: str = "olmo", **changes: object) -> Path:
    """Write a tiny model configuration with the tokenizer beside it; return the configuration's path."""
    values: dict[str, object] = {
        "model_type": model_type,
        "vocab_size": VOCAB_SIZE,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "max_position_embeddings": 512,
        "initializer_range": 0.2,  # large, so that wrong contexts show
        "eos_token_id": EOS,
        "bos_token_id": None,
        "pad_token_id": None,
        "use_cache": False,
    }
    if model_type in ("llama", "qwen2", "olmo", "olmo2"):
        values["num_key_value_heads"] = 2
    if model_type == "bloom":
        values |= {"n_layer": 3, "n_head": 4}
        for name in ("num_hidden_layers", "num_attention_heads", "intermediate_size", "max_position_embeddings"):
            del values[name]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_text(tokenizer_json())
    path = folder / f"{model_type}.json"
    path.write_text(json.dumps(values | changes))
    return path
