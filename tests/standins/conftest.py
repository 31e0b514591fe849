"""Fixtures from the tests of chat models."""

from tests.chat.conftest import serve

__all__ = ["serve"]
