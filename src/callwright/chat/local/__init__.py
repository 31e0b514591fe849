"""A model in this process. The stable import path of `LocalChat` for users' scripts; its code is in `chat.py`."""

from callwright.lazy import lazy_exports

__getattr__ = lazy_exports(__name__, {"LocalChat": "callwright.chat.local.chat"})
