"""Callwright: small language models that reason by calling functions."""

__version__ = "0.1.0"
