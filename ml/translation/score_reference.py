"""The plain way to score: one prompt at a time, nothing shared, nothing padded. What the fast way is held to."""

import torch
from transformers import PreTrainedModel

from ml.translation.prompts import PromptTokens


@torch.inference_mode()
def candidate_nlls(model: PreTrainedModel, prompt: PromptTokens) -> list[list[float]]:
    """Return the NLL in nats of each target token, by candidate: -log softmax of the model's own logits."""
    result = []
    for suffix, n_target in zip(prompt.suffixes, prompt.n_targets, strict=True):
        tokens = torch.tensor([prompt.prefix + suffix], device=model.device)
        log_probs = model(input_ids=tokens, use_cache=False).logits[0].float().log_softmax(dim=-1)
        places = range(tokens.shape[1] - n_target, tokens.shape[1])
        result.append([-float(log_probs[place - 1, int(tokens[0, place])]) for place in places])
    return result
