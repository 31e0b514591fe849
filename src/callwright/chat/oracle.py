"""The stable import path of `create_app` for users' scripts. The code is in `callwright.standins.oracle`."""

from callwright.lazy import lazy_exports

__getattr__ = lazy_exports(__name__, {"create_app": "callwright.standins.oracle.app"})
