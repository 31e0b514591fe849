"""A model in this process. `LocalChat` is at this path for other people's scripts; the code is in `chat.py`."""

from callwright.lazy import lazy_exports

__getattr__ = lazy_exports(__name__, {"LocalChat": "callwright.chat.local.chat"})
