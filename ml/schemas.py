"""Arrow schemas of the tables that ml programs write: a copy of the warehouse's contract, held equal by a test.

The rooms do not import each other; what passes between them is files with a written schema.
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
            ("p_control", pa.float64()),  # summed over as many pivots of another item
            ("entropy", pa.float64()),  # nats
            ("is_top_source", pa.bool_()),
            ("is_top_target", pa.bool_()),
            ("is_top_pivot", pa.bool_()),
            (
                "shares_token",
                pa.bool_(),
            ),  # source and target words have a token in common: behaviour 'excluded'
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
        ]
    ),
}
