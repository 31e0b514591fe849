"""The version of what makes a chain out of a model's replies; finished attempts are kept under it.

Raise ENGINE when the same replies would make other steps: when a reply is read otherwise, a limit moves, or a line that
a model is shown (a result, an error) is worded otherwise. Attempts in journals are then made anew: the models would
have read something else from there on. tests/agent/test_engine.py fails until it is raised.

Prompts, signatures and the functions' own source are in an attempt's key already, and need no new version.
"""

ENGINE = 1
