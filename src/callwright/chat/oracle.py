"""The stable path of `create_app`, which other people's scripts import; the code is in `callwright.standins.oracle`."""

from callwright.lazy import lazy_exports

__getattr__ = lazy_exports(__name__, {"create_app": "callwright.standins.oracle.app"})
