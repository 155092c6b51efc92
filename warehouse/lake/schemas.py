"""Arrow schemas of every raw table: the contract between Python, which writes them, and dbt, which reads them.

Keys have one name everywhere. Units are in names. Nothing here carries a clock except `runs`, so that the same
inputs give the same bytes.

Five kinds of tables differ in who writes them and when they are replaced:

* `SHARDED`   one Parquet file per ingested file or imported list, immutable, named by the hash of inputs and options;
* `COUNTED`   one folder per count of a corpus, named by the hash of all its inputs; a pointer names the current one;
* `RECORDED`  one file per run, export or experiment, written once;
* `RESULT`    one file per run, written by `ml/` in the run's folder and registered in the lake;
* `STATE`     one small file per corpus, replaced whole.
"""

import pyarrow as pa

from warehouse.contract.result_schemas import RESULT as RESULT

_token_ids = pa.list_(pa.int32())

MATCH_POLICY = "text"  # how words are found: in text (method section 1), the only policy that ingest writes

SHARDED: dict[str, pa.Schema] = {
    # One row per file that was ingested into a corpus.
    "source_files": pa.schema(
        [
            ("corpus", pa.string()),
            ("shard_id", pa.string()),
            ("source_file", pa.string()),  # path as given, relative to the PATH argument's parent
            ("file_hash", pa.string()),
            ("format", pa.string()),  # dolma, parquet, memmap, text
            ("n_bytes", pa.int64()),
            ("n_docs", pa.int64()),
            ("n_rejects", pa.int64()),
            ("run_id", pa.string()),
        ]
    ),
    # One row per valid document; text is not kept: NFC text = decoded token ids.
    "documents": pa.schema(
        [
            ("corpus", pa.string()),
            ("shard_id", pa.string()),
            ("doc_id", pa.int64()),  # id64(corpus, source, source_id): never from position
            ("source_id", pa.string()),  # the record's own id, or a stable hash
            ("source", pa.string()),  # Dolma `source`, '' when absent
            ("source_file", pa.string()),
            ("line_number", pa.int64()),  # 1-based line or row in the source file
            (
                "lang",
                pa.string(),
            ),  # ISO 639-1 where one exists; 'und' when unknown; mixed codes such as 'en-fr' kept
            ("lang_source", pa.string()),  # metadata, detector, option
            ("lang_score", pa.float64()),  # detector's probability; NULL unless lang_source = 'detector'
            # of the training instance a memmap document is a piece of; NULL for other formats
            ("instance_lang", pa.string()),  # the language of most of its tokens
            ("other_lang_share", pa.float64()),  # share of its tokens in documents of other known languages
            ("content_hash", pa.int64()),  # id64 of the NFC text: equal for exact duplicates
            ("n_chars", pa.int64()),
            ("n_bytes", pa.int64()),  # UTF-8 bytes of the NFC text
            ("n_tokens", pa.int32()),  # special tokens never occur in it
            ("token_ids", _token_ids),
        ]
    ),
    # One row per document and word of the list that occurs in it.
    "word_documents": pa.schema(
        [
            ("corpus", pa.string()),
            ("shard_id", pa.string()),
            ("doc_id", pa.int64()),
            ("word_id", pa.int64()),
            ("match_policy", pa.string()),  # MATCH_POLICY
            ("n_matches", pa.int32()),
            ("token_starts", _token_ids),  # index of the token in which each match begins, ascending
        ]
    ),
    # One row per record that could not be used.
    "rejects": pa.schema(
        [
            ("corpus", pa.string()),  # NULL for word lists
            ("shard_id", pa.string()),
            ("step", pa.string()),  # ingest, words
            ("source_file", pa.string()),
            ("line_number", pa.int64()),  # 1-based; NULL when the whole file is unreadable from here on
            ("reason", pa.string()),  # a short fixed phrase: group by it
            ("detail", pa.string()),  # what was found, at most 200 characters
        ]
    ),
    # One row per corpus.
    "corpora": pa.schema(
        [
            ("corpus", pa.string()),
            ("tokenizer_hash", pa.string()),
            ("tokenizer_name", pa.string()),
            ("vocab_size", pa.int32()),
            (
                "eos_token_id",
                pa.int32(),
            ),  # appended between documents in exports; NULL when the tokenizer has none
        ]
    ),
    # One row per tokenizer and token.
    "tokens": pa.schema(
        [
            ("tokenizer_hash", pa.string()),
            ("token_id", pa.int32()),
            ("token", pa.string()),  # decoded text; a partial character shows as <0xE4>
            ("n_bytes", pa.int32()),
            ("script", pa.string()),  # Latin, Han, Hiragana, ..., Common; Partial for a piece of a character
            ("is_special", pa.bool_()),
            ("is_blank", pa.bool_()),  # decodes to nothing but white space
        ]
    ),
    # One row per word of a list.
    "words": pa.schema(
        [
            ("word_id", pa.int64()),  # id64(lang, NFC word)
            ("lang", pa.string()),
            ("word", pa.string()),
        ]
    ),
    # One row per tokenizer, word and form: how the tokenizer writes it.
    "word_token_forms": pa.schema(
        [
            ("tokenizer_hash", pa.string()),
            ("word_id", pa.int64()),
            ("form", pa.string()),  # bare = w, spaced = " " + w
            ("token_ids", _token_ids),
        ]
    ),
    # One row per item and language: an item is one concept with a word in each language.
    "translation_items": pa.schema(
        [
            ("item_id", pa.int64()),  # id64 of the sorted (lang, word) tuples
            ("lang", pa.string()),
            ("word_id", pa.int64()),
        ]
    ),
    # One row per distractor: for translating source_lang -> target_lang, a wrong source-language word.
    "distractors": pa.schema(
        [
            ("item_id", pa.int64()),
            ("source_lang", pa.string()),  # the distractor's language
            ("target_lang", pa.string()),
            ("candidate", pa.int32()),  # 1..9; 0 is the right word
            ("word", pa.string()),
        ]
    ),
    # One row per concept of a planted corpus (truth known).
    "planted_concepts": pa.schema(
        [
            ("corpus", pa.string()),
            ("item_id", pa.int64()),
            ("kind", pa.string()),  # direct (share documents), pivot (linked only through pivots), unlinked
            ("role", pa.string()),  # train (used in glossary-like documents) or test
            ("topic", pa.string()),
        ]
    ),
    # One row per planted pivot and single token that writes it.
    "planted_pivots": pa.schema(
        [
            ("corpus", pa.string()),
            ("item_id", pa.int64()),
            ("pivot_word", pa.string()),
            ("token_id", pa.int32()),  # token of " " + pivot_word; NULL when it is not a single token
        ]
    ),
    # One row per word pair and pivot candidate that a person or a model was asked about. A file is one answer, named by
    # who was asked what, so nothing is asked twice.
    "pivot_reviews": pa.schema(
        [
            ("corpus", pa.string()),
            ("lang_a", pa.string()),  # the pair in the order of its languages: a review holds for both directions
            ("word_a", pa.string()),
            ("lang_b", pa.string()),
            ("word_b", pa.string()),
            ("token", pa.string()),
            ("review_status", pa.string()),  # accepted, rejected, unclear
            ("reviewer_kind", pa.string()),  # manual, openai, transformers
            ("reviewer", pa.string()),  # a person's name, a model's
            ("prompt_hash", pa.string()),
            ("prompt", pa.string()),
            ("answer", pa.string()),
            ("run_id", pa.string()),
        ]
    ),
    # One row per question that an infini-gram index answered: no word (its size), one word, or two words of one item.
    "infini_gram_counts": pa.schema(
        [
            ("corpus", pa.string()),  # what the index was made of; need not be in the warehouse
            ("run_id", pa.string()),  # one run per index and options: its config names engine, endpoint and index
            ("index_name", pa.string()),
            ("engine", pa.string()),  # api, local
            ("word_id_a", pa.int64()),  # NULL: the size of the index
            ("word_id_b", pa.int64()),  # NULL: one word; else word_id_a < word_id_b
            ("query", pa.string()),  # JSON, as the HTTP API has it: text that its server tokenises, or token ids
            # options of the run, which bear on pairs only
            ("max_diff_tokens", pa.int64()),  # between the beginnings of the two words, at most
            ("max_clause_freq", pa.int64()),  # of a word with more places at most this many are looked at
            # places of the word; of the rarer word with the other one near it; of all tokens and separators
            ("n_occurrences", pa.int64()),
            ("is_approx", pa.bool_()),  # the engine's flag; false too when less than half of the places were left out
            ("n_docs", pa.int64()),  # documents with the word, or with both anywhere; NULL: the index cannot tell
        ]
    ),
}

STATE: dict[str, pa.Schema] = {
    # One row per document that another record with the same id replaces (smallest content_hash wins).
    "superseded_documents": pa.schema(
        [("corpus", pa.string()), ("shard_id", pa.string()), ("doc_id", pa.int64()), ("reason", pa.string())]
    ),
}

# `unit` is 'document' or 'window_<tokens>'; every corpus has one current count, so marts need no unit in their keys.
# A stratum is (lang, length_bin) with length_bin = floor(2 * log2(number of distinct tokens of the unit)).
COUNTED: dict[str, pa.Schema] = {
    # One row per corpus: what was counted, and how.
    "counts": pa.schema(
        [
            ("corpus", pa.string()),
            ("count_id", pa.string()),
            ("unit", pa.string()),
            ("n_units", pa.int64()),
            ("n_tokens", pa.int64()),
            ("options", pa.string()),  # JSON: thresholds and sampling, exactly as used
            ("run_id", pa.string()),
        ]
    ),
    # One row per stratum: N_k.
    "strata": pa.schema(
        [("corpus", pa.string()), ("lang", pa.string()), ("length_bin", pa.int32()), ("n_docs", pa.int64())]
    ),
    # One row per stratum and token that occurs in it: n_k(x).
    "token_documents": pa.schema(
        [
            ("corpus", pa.string()),
            ("lang", pa.string()),
            ("length_bin", pa.int32()),
            ("token_id", pa.int32()),
            ("n_docs", pa.int64()),
        ]
    ),
    # One row per stratum and word that occurs in it: n_k(w).
    "word_strata": pa.schema(
        [
            ("corpus", pa.string()),
            ("lang", pa.string()),
            ("length_bin", pa.int32()),
            ("word_id", pa.int64()),
            ("n_docs", pa.int64()),
        ]
    ),
    # One row per two words of one item that share a unit: n(s,t), word_id_a < word_id_b.
    "word_pairs": pa.schema(
        [
            ("corpus", pa.string()),
            ("word_id_a", pa.int64()),
            ("word_id_b", pa.int64()),
            ("n_docs", pa.int64()),
        ]
    ),
    # One row per word and token with n(w,x) > 0 that any score could rank: n/n(w) > n(x)/N or n > E.
    "word_tokens": pa.schema(
        [
            ("corpus", pa.string()),
            ("word_id", pa.int64()),
            ("token_id", pa.int32()),
            ("n_docs", pa.int64()),
            ("expected_n_docs", pa.float64()),  # E(w,x) = sum over strata of n_k(w) n_k(x) / N_k
            ("variance", pa.float64()),  # sum over strata of n_k(w) r (1 - r), r = n_k(x) / N_k
        ]
    ),
    # One row per two tokens whose edge can matter (thresholds in counts.options), token_id_a < token_id_b.
    "token_pairs": pa.schema(
        [
            ("corpus", pa.string()),
            ("token_id_a", pa.int32()),
            ("token_id_b", pa.int32()),
            ("n_docs", pa.int64()),
            ("expected_n_docs", pa.float64()),  # sum over strata of n_k(x) n_k(y) / N_k
            ("variance", pa.float64()),  # sum over strata of N_k r_x r_y (1 - r_x r_y), r = n_k / N_k
        ]
    ),
}

RECORDED: dict[str, pa.Schema] = {
    # One row per run of any kind. The only table with clocks.
    "runs": pa.schema(
        [
            # <kind>-<short_hash of config and inputs>: the same request has the same id
            ("run_id", pa.string()),
            ("kind", pa.string()),  # one of warehouse.contract.folders.RUN_KINDS
            ("corpus", pa.string()),
            ("experiment", pa.string()),
            ("strategy", pa.string()),  # 'base' for the untrained model
            ("seed", pa.int64()),
            ("model_id", pa.string()),  # train: the model it made; others: the model it read
            ("export_id", pa.string()),
            ("git_commit", pa.string()),
            ("config_hash", pa.string()),
            ("config", pa.string()),  # JSON
            ("inputs", pa.string()),  # JSON: name -> hash
            ("tokenizer_hash", pa.string()),
            # of a model that is one of a series of checkpoints; NULL for any other
            ("model_series", pa.string()),  # hub name without revision, or the folder
            ("model_step", pa.int64()),
            ("n_tokens_seen", pa.int64()),  # by that step; NULL where the checkpoint does not say it
            ("versions", pa.string()),  # JSON: python, duckdb, torch, transformers ...
            ("started_at", pa.timestamp("us", tz="UTC")),
            ("finished_at", pa.timestamp("us", tz="UTC")),
        ]
    ),
    # One row per experiment: what it is judged by, written before its first training and never again.
    "experiments": pa.schema(
        [
            ("experiment", pa.string()),
            ("preset", pa.string()),
            ("primary_outcome", pa.string()),  # NULL: var primary_outcome
            ("primary_word_split", pa.string()),  # NULL: var primary_word_split
            ("smallest_effect", pa.float64()),  # in the outcome's unit; NULL: var smallest_effects
        ]
    ),
    # One row per export and language.
    "exports": pa.schema(
        [
            ("export_id", pa.string()),
            ("corpus", pa.string()),
            ("strategy", pa.string()),
            ("budget_tokens", pa.int64()),
            ("lang", pa.string()),
            ("n_docs", pa.int64()),
            ("n_tokens", pa.int64()),
        ]
    ),
}

SCHEMAS: dict[str, pa.Schema] = {**SHARDED, **STATE, **COUNTED, **RECORDED, **RESULT}
