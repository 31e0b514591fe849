"""A student of a few thousand weights, which are random: real in every respect but what it answers."""

import shutil
from pathlib import Path

from callwright.standins.embedded.shipped_files import SHIPPED
from callwright.standins.embedded.shipped_student import MODEL_FILES


def write_tiny_student(folder: Path, *, layers: int = 2, seed: int = 3) -> None:
    """Write a model with the tokenizer and the architecture of the student that ships: 32 columns, two heads."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.from_pretrained(SHIPPED)
    small = {"hidden_size": 32, "intermediate_size": 96, "num_attention_heads": 2, "num_key_value_heads": 2}
    for name, value in {**small, "head_dim": 16, "num_hidden_layers": layers}.items():
        setattr(config, name, value)
    config.layer_types = config.layer_types[:layers]
    torch.manual_seed(seed)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    for name in MODEL_FILES:
        if name.startswith(("tokenizer", "chat_template")):
            shutil.copyfile(SHIPPED / name, folder / name)
