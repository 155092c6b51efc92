"""Arrow schemas of the tables that `ml` writes as files and the warehouse registers: one file per run and table.

Keys have one name everywhere. Units are in names.
"""

import pyarrow as pa

RESULT: dict[str, pa.Schema] = {
    # One row per item, direction, candidate source word and draw of shots. NLLs are means over target tokens, nats.
    "word_scores": pa.schema(
        [
            ("run_id", pa.string()),
            ("item_id", pa.int64()),
            ("source_lang", pa.string()),
            ("target_lang", pa.string()),
            ("candidate", pa.int32()),  # 0 = the right source word, 1..9 = distractors
            ("candidate_word", pa.string()),
            ("draw", pa.int32()),
            ("prompt_hash", pa.string()),
            ("n_target_tokens", pa.int32()),
            ("nll_mean", pa.float64()),
            (
                "nll_mean_without_space",
                pa.float64(),
            ),  # leaves out a leading bare-space token; = nll_mean without one
        ]
    ),
    # One row per prompt prefix: which items were its shots.
    "prompts": pa.schema(
        [
            ("run_id", pa.string()),
            ("prompt_hash", pa.string()),
            ("item_id", pa.int64()),
            ("source_lang", pa.string()),
            ("target_lang", pa.string()),
            ("draw", pa.int32()),
            ("shot_item_ids", pa.list_(pa.int64())),
        ]
    ),
    # One row per item, direction and layer (0 = embeddings, last = the model's own output), logit lens.
    "layer_traces": pa.schema(
        [
            ("run_id", pa.string()),
            ("item_id", pa.int64()),
            ("source_lang", pa.string()),
            ("target_lang", pa.string()),
            ("layer", pa.int32()),
            ("top_token_id", pa.int32()),
            ("top_token", pa.string()),
            ("p_top", pa.float64()),
            ("p_source", pa.float64()),  # summed over the source word's tokens (both forms)
            ("p_target", pa.float64()),
            ("p_pivot", pa.float64()),  # summed over the pair's exported pivots
            ("p_control", pa.float64()),  # the same over pivots of another item (of its topic, if known)
            ("entropy", pa.float64()),  # nats
            ("is_top_source", pa.bool_()),
            ("is_top_target", pa.bool_()),
            ("is_top_pivot", pa.bool_()),
            (
                "shares_token",
                pa.bool_(),
            ),  # source and target words have a token in common: behaviour 'excluded'
            # p_pivot without tokens of the item's words in any language; NULL in traces of earlier versions
            ("p_pivot_beyond_words", pa.float64()),
        ]
    ),
    # One row per item, direction, layer and language of the list that has a word for the item: is that word there.
    "layer_words": pa.schema(
        [
            ("run_id", pa.string()),
            ("item_id", pa.int64()),
            ("source_lang", pa.string()),
            ("target_lang", pa.string()),
            ("layer", pa.int32()),
            ("lang", pa.string()),
            ("p", pa.float64()),  # summed over the first informative tokens of both forms of the word
            ("word_rank", pa.int32()),  # of the likelier of them, 1 = the layer's top token
            ("shares_token", pa.bool_()),  # one of them is that of the source or target word, in another language
        ]
    ),
    # One row per item, direction, layer and intervention behind it: the answer untouched and after it, in one batch.
    "interventions": pa.schema(
        [
            ("run_id", pa.string()),
            ("item_id", pa.int64()),
            ("source_lang", pa.string()),
            ("target_lang", pa.string()),
            ("layer", pa.int32()),  # 1 = behind the first block
            ("intervention", pa.string()),  # own_pivots, other_pivots, random_tokens, concept_mean
            ("n_directions", pa.int32()),  # dimensions that were removed; NULL for concept_mean
            ("changed_share", pa.float64()),  # of the states' squared length, from the query's word on
            ("n_target_tokens", pa.int32()),
            ("nll_mean_untouched", pa.float64()),  # means over the answer's tokens, nats
            ("nll_mean", pa.float64()),
        ]
    ),
    # One row per run, sentence and direction: the model's own translation (greedy), and how close it comes.
    "sentence_scores": pa.schema(
        [
            ("run_id", pa.string()),
            ("sentence_set_id", pa.string()),
            ("sentence_id", pa.int64()),  # id64 of the sentence's texts in all languages of its file
            ("source_lang", pa.string()),
            ("target_lang", pa.string()),
            ("prompt_hash", pa.string()),
            ("shot_sentence_ids", pa.list_(pa.int64())),
            ("source_text", pa.string()),
            ("reference_text", pa.string()),
            ("translation", pa.string()),  # up to the first line break; '' when the model wrote nothing
            ("n_new_tokens", pa.int32()),
            ("stopped_by", pa.string()),  # newline, eos, or length: the limit of new tokens was reached
            ("chrf", pa.float64()),  # chrF2 of this sentence alone, 0..100
            ("chrf_pp", pa.float64()),  # chrF2++: with words and word pairs
        ]
    ),
    # One row per run, sentence, direction, kind and length of n-grams: what chrF of many sentences adds up.
    "sentence_ngrams": pa.schema(
        [
            ("run_id", pa.string()),
            ("sentence_id", pa.int64()),
            ("source_lang", pa.string()),
            ("target_lang", pa.string()),
            ("ngram_kind", pa.string()),  # character (lengths 1..6), word (1..2)
            ("ngram_length", pa.int32()),
            ("n_translation", pa.int64()),  # 0 when the reference is too short to have one, as sacrebleu counts
            ("n_reference", pa.int64()),
            ("n_both", pa.int64()),
        ]
    ),
    # One row per run, position of a prompt, layer and rank: what each layer would say next at every token (logit lens).
    "prompt_lenses": pa.schema(
        [
            ("run_id", pa.string()),
            ("position", pa.int32()),  # 0-based; special tokens that open the prompt included
            ("token_id", pa.int32()),  # read at this position
            ("token", pa.string()),
            ("layer", pa.int32()),  # 0 = embeddings, last = the model's own output
            ("top_rank", pa.int32()),  # 1 = likeliest; rows of watched tokens carry their rank too
            ("top_token_id", pa.int32()),
            ("top_token", pa.string()),
            ("p", pa.float64()),
            ("entropy", pa.float64()),  # nats, of the whole distribution
            ("is_watched", pa.bool_()),  # asked for by name, whatever its rank
        ]
    ),
    # One row per run and language of held-out documents.
    "held_out_losses": pa.schema(
        [
            ("run_id", pa.string()),
            ("lang", pa.string()),
            ("n_docs", pa.int64()),
            ("n_tokens", pa.int64()),
            ("n_bytes", pa.int64()),
            ("nll_sum", pa.float64()),  # nats
        ]
    ),
    # One row per step, sequence in it and document that it holds a part of: the order in which a training read.
    "training_reads": pa.schema(
        [
            ("run_id", pa.string()),
            ("step", pa.int64()),  # 1-based
            ("sequence", pa.int32()),  # place in the step
            ("doc_id", pa.int64()),
            ("first_token", pa.int64()),  # of the document, 0-based
            ("n_tokens", pa.int64()),  # the separator not counted
        ]
    ),
    # One row per optimiser step.
    "training_steps": pa.schema(
        [
            ("run_id", pa.string()),
            ("step", pa.int64()),  # 1-based
            ("n_tokens_seen", pa.int64()),
            ("loss", pa.float64()),  # mean NLL per predicted token, nats
            ("learning_rate", pa.float64()),
            ("grad_norm", pa.float64()),
            ("step_s", pa.float64()),
            ("model_flops", pa.float64()),  # arithmetic of the step, 6 N + 12 L H Q T a token (PaLM, appendix B)
            ("measured_flops_per_s", pa.float64()),  # of a matrix product on its devices: the larger of start and end
            ("published_flops_per_s", pa.float64()),  # dense bf16 peak of the data sheets; NULL for unlisted devices
        ]
    ),
}
