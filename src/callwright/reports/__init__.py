"""What the report files hold, as types: one file per report. Only this package knows their JSON.

A stage builds its report, `save` writes it, and whoever reads it gets attributes from `load`. The keys, their order and
the format of numbers are part of the files' contract: other people's scripts read them.
"""
