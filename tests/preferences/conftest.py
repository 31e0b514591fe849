"""The small model of tests/chat, which has Qwen's chat template."""

from tests.chat.conftest import taught

__all__ = ["taught"]
