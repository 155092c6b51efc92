"""A small Llama as a GGUF file, unquantised, with the byte-level tokenizer of the other inputs."""

import json
from pathlib import Path

import torch

from ml.models.load import find_model, load_model
from support.ml_runs.inputs import EOS, make_config, tokenizer_json


def write_gguf(folder: Path) -> tuple[Path, torch.nn.Module]:
    """Write a GGUF file; return it, and the model whose weights it holds."""
    import gguf

    changes = {"num_hidden_layers": 2, "num_key_value_heads": 4, "hidden_size": 64, "initializer_range": 0.05}
    config = make_config(folder / "config", "llama", **changes)
    model = load_model(find_model(str(config)), seed=0, dtype="float32", device=torch.device("cpu"))
    path = folder / "small.gguf"
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_name("small")
    writer.add_context_length(512)
    writer.add_embedding_length(64)
    writer.add_block_count(2)
    writer.add_feed_forward_length(64)
    writer.add_head_count(4)
    writer.add_head_count_kv(4)
    writer.add_layer_norm_rms_eps(model.config.rms_norm_eps)
    writer.add_rope_freq_base(10_000.0)
    parsed = json.loads(tokenizer_json())
    tokens = sorted(parsed["model"]["vocab"], key=parsed["model"]["vocab"].__getitem__)
    n_tokens = model.config.vocab_size
    tokens += [f"<unused{i}>" for i in range(len(tokens), n_tokens)]
    writer.add_vocab_size(n_tokens)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(tokens)
    writer.add_token_types([3 if i == EOS else 1 for i in range(n_tokens)])
    writer.add_token_merges([" ".join(m) if isinstance(m, list) else m for m in parsed["model"]["merges"]])
    writer.add_eos_token_id(EOS)
    names = {
        "self_attn.q_proj": "attn_q",
        "self_attn.k_proj": "attn_k",
        "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output",
        "mlp.gate_proj": "ffn_gate",
        "mlp.up_proj": "ffn_up",
        "mlp.down_proj": "ffn_down",
        "input_layernorm": "attn_norm",
        "post_attention_layernorm": "ffn_norm",
    }
    state = model.state_dict()
    writer.add_tensor("token_embd.weight", state["model.embed_tokens.weight"].numpy())
    writer.add_tensor("output_norm.weight", state["model.norm.weight"].numpy())
    writer.add_tensor("output.weight", state["lm_head.weight"].numpy())
    for layer in range(2):
        for name, short in names.items():
            weight = state[f"model.layers.{layer}.{name}.weight"]
            if short in ("attn_q", "attn_k"):  # llama.cpp pairs the halves of a head otherwise
                weight = weight.reshape(4, 2, 8, 64).swapaxes(1, 2).reshape(64, 64)
            writer.add_tensor(f"blk.{layer}.{short}.weight", weight.contiguous().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path, model
