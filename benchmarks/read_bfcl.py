"""Are gold replies of the Berkeley Function-Calling Leaderboard read correctly in the markup of every model series?

    python benchmarks/read_bfcl.py ../shared/data/bfcl_v4

Each row's gold calls are written as each model series would write them (tests/agent/parsing/markup_by_series.py) and
read back by the native protocol. A reply counts as read if it gives the same functions, in order, with the same
arguments. Decimals are compared as text, because most markup with tags does not say whether 2.5 is a number or text.
The same is true of 1234, so a text like that is read as a number.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # tests/ is not an installed package

from tests.agent.parsing.markup_by_series import MARKUP_BY_SERIES  # noqa: E402

from callwright.agent.native import NATIVE  # noqa: E402
from callwright.chat.model import Reply  # noqa: E402
from callwright.functions.literal import resolve_function_name  # noqa: E402
from callwright.records import Call, Usage  # noqa: E402


def gold_calls(row: dict[str, Any]) -> list[Call]:
    """The first of the allowed values of each argument; optional arguments are omitted."""
    calls = []
    for call_values in row["ground_truth"]:
        ((name, allowed),) = call_values.items()
        calls.append(Call(name, {key: values[0] for key, values in allowed.items() if values and values[0] != ""}))
    return calls


def is_read(text: str, calls: Sequence[Call]) -> bool:
    names = {call.name for call in calls}
    read = [call for _, call in NATIVE.read(Reply(text, "stop", Usage()))]
    if not all(isinstance(call, Call) for call in read):
        return False
    return [(resolve_function_name(call.name, names), _plain(call.arguments)) for call in read] == [
        (call.name, _plain(call.arguments)) for call in calls
    ]


def _plain(value: Any) -> Any:
    match value:
        case float():
            return str(value)
        case list():
            return [_plain(item) for item in value]
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case _:
            return value


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("folder", type=Path, help="with possible_answer/*.json in it")
    options = arguments.parse_args()
    files = sorted((options.folder / "possible_answer").glob("*.json"))
    rows = {file.stem: [gold_calls(json.loads(line)) for line in file.open()] for file in files}
    total = sum(map(len, rows.values()))
    parallel = [calls for name, row_calls in rows.items() if "parallel" in name for calls in row_calls]
    for series, write in MARKUP_BY_SERIES.items():
        read = sum(is_read(write(calls), calls) for row_calls in rows.values() for calls in row_calls)
        several = sum(is_read(write(calls), calls) for calls in parallel)
        print(f"{series:20} {read:6,} of {total:,}; of those with several calls {several} of {len(parallel)}")


if __name__ == "__main__":
    main()
