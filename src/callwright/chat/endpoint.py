"""The stable import path of `EndpointChat` for users' scripts. The code is in `callwright.chat.openai`."""

from callwright.lazy import lazy_exports

__getattr__ = lazy_exports(__name__, {"EndpointChat": "callwright.chat.openai.endpoint"})
