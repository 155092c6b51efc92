"""The parts of a causal LM that a logit lens needs, found without knowing its architecture."""

import torch
from transformers import PreTrainedModel

from ml.errors import UsageProblem


def decoder_blocks(model: PreTrainedModel) -> torch.nn.ModuleList:
    """Return the decoder blocks: the module list of the base model that is as long as the model is deep."""
    lists = [child for child in model.base_model.children() if isinstance(child, torch.nn.ModuleList)]
    blocks = [child for child in lists if len(child) == model.config.num_hidden_layers]
    if len(blocks) != 1:
        raise UsageProblem(f"model type {model.config.model_type}: its decoder blocks were not found")
    return blocks[0]
