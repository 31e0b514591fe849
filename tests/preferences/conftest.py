"""The small model of tests/chat, which knows Qwen's chat template."""

from tests.chat.conftest import taught

__all__ = ["taught"]
