"""Calls in the markup of the models' chat templates, read where a server passed it on as text (docs/decisions/0011)."""
