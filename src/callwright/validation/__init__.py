"""Check chain files, problems and pairs: replay, faults, quarantine, suites of expectations, drift."""
