"""The small model of tests/chat, which knows Qwen's chat template."""

from tests.chat.conftest import tiny_model

__all__ = ["tiny_model"]
