"""The small model of tests/chat, which has Qwen's chat template."""

from tests.chat.conftest import tiny_model

__all__ = ["tiny_model"]
