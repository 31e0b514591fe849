"""The stable path of `parse_call`, which other people's scripts import; the code is in `callwright.agent.parsing`."""

from callwright.lazy import lazy_exports

__getattr__ = lazy_exports(__name__, {"parse_call": "callwright.agent.parsing.parse"})
