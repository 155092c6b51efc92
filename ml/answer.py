"""A local chat model answers prompts: one JSON string a line on standard input, one answer a line on standard output.

    python -m ml.answer --model DIR < prompts.jsonl

Greedy, so that the same prompt has the same answer. The chat template is the tokenizer's; without one the prompt stands
as it is.
"""

import argparse
import json
import sys
from typing import Any

import torch
from transformers import AutoTokenizer

from ml.common.errors import run_program
from ml.models.load import find_model, load_model, pick_device, pick_dtype
from warehouse.contract.errors import UsageError

_NEW_TOKENS = 200


@torch.inference_mode()
def answer(model: Any, tokenizer: Any, prompt: str) -> str:
    """Return the model's greedy continuation of one prompt, without the prompt and without special tokens."""
    text = prompt
    if tokenizer.chat_template:
        messages = [{"role": "user", "content": prompt}]
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    encoded = tokenizer(text, return_tensors="pt", add_special_tokens=not tokenizer.chat_template).to(model.device)
    encoded.pop("token_type_ids", None)
    limit = getattr(model.config, "max_position_embeddings", None)
    n_prompt = encoded["input_ids"].shape[1]
    if limit and n_prompt + _NEW_TOKENS > limit:
        raise UsageError(f"a prompt of {n_prompt} tokens and an answer do not fit the model's {limit} positions")
    generated = model.generate(
        **encoded, max_new_tokens=_NEW_TOKENS, do_sample=False, pad_token_id=tokenizer.eos_token_id
    )
    return str(tokenizer.decode(generated[0, n_prompt:], skip_special_tokens=True))


def main(argv: list[str] | None = None) -> None:
    """Answer every line of standard input."""
    parser = argparse.ArgumentParser(prog="ml.answer", description="A local chat model answers prompts.")
    parser.add_argument("--model", required=True, help="hub name or model folder, with its tokenizer")
    parser.add_argument("--device", default="auto")
    options = parser.parse_args(argv)
    source, device = find_model(options.model), pick_device(options.device)
    if source.folder is None:
        raise UsageError(f"--model {options.model}: a model that answers needs trained weights, not a configuration")
    model = load_model(source, seed=0, dtype=pick_dtype("auto", device), device=device)
    tokenizer = AutoTokenizer.from_pretrained(str(source.folder), trust_remote_code=False)
    for line in sys.stdin:
        print(json.dumps(answer(model, tokenizer, json.loads(line))), flush=True)


if __name__ == "__main__":
    run_program(main)
