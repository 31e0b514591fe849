"""The `callwright` command."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from callwright import paths
from callwright.errors import CallwrightError, DataError, ParamsError
from callwright.records import SPLITS, Chain, CheckedChain, Problem, Step

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.command()
def preset(name: Annotated[str, typer.Argument(help="a file of conf/presets, without .yaml")]) -> None:
    """Overlay a preset on params.yaml; its comments stay."""
    from callwright.presets import apply_preset

    changed = apply_preset(name)
    print(f"params.yaml: {', '.join(changed)}" if changed else "params.yaml: nothing to change")


@app.command()
def functions(task: Annotated[str, typer.Argument(help="a task, such as arithmetic")]) -> None:
    """Print what the prompt says of a task's functions."""
    from callwright.agent.protocol import TEXT
    from callwright.tasks import TASKS

    if task not in TASKS:
        raise ParamsError(f"there is no task {task}; the tasks are {', '.join(TASKS)}")
    print(TEXT.function_section(TASKS[task].toolbox))


@app.command()
def show(chain_id: Annotated[str, typer.Argument(help="such as synthetic/train/000012/base/0")]) -> None:
    """Print a stored chain step by step, with its verdict."""
    for chain, verdict in _stored(chain_id):
        print(f"{chain.id}  ({chain.model}, {chain.outcome})")
        for number, step in enumerate(chain.steps, 1):
            print(_lines(number, step))
        print(f"answer: {_visible(chain.answer or 'none')}")
        if verdict is not None:
            print("correct" if verdict.verdict.correct else "not correct")
            for fault in verdict.verdict.faults:
                print(f"  step {fault.step + 1}: {fault.fault}: {_visible(fault.message)}")
        return
    raise DataError(f"no chain {chain_id} in {paths.VALIDATED}, {paths.EVALUATION} or data/chains")


def _stored(chain_id: str) -> Iterator[tuple[Chain, CheckedChain | None]]:
    from callwright.storage import read

    for path in [paths.VALIDATED, *sorted(paths.EVALUATION.glob("*.jsonl"))]:
        if path.is_file():
            for record in read(CheckedChain, path):
                if record.chain.id == chain_id:
                    yield record.chain, record
    for path in (paths.TEACHER_CHAINS, paths.STUDENT_CHAINS):
        if path.is_file():
            yield from ((chain, None) for chain in read(Chain, path) if chain.id == chain_id)


def _lines(number: int, step: Step) -> str:
    from callwright.agent.protocol import TEXT

    reply = TEXT.reply_message(step)["content"].replace("\n", "\n     ")
    return f"{number:3}. {_visible(reply)}\n     {_visible(TEXT.result_message(step)['content'])}"


def _visible(text: str) -> str:
    """Model text without control characters: it could drive the terminal otherwise."""
    return "".join(one if one.isprintable() or one == "\n" else f"\\x{ord(one):02x}" for one in text)


@app.command()
def oracle(
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    host: Annotated[str, typer.Option(help="leave at loopback: the oracle asks for no key")] = "127.0.0.1",
    params_file: Annotated[Path, typer.Option("--params")] = Path("params.yaml"),
) -> None:
    """Serve the oracle teacher (a stand-in for a large model) for the problems in data/problems."""
    import uvicorn

    from callwright.chat.oracle import create_app
    from callwright.params import Params
    from callwright.storage import read

    params = Params.load(params_file)
    problems = [problem for split in SPLITS for problem in read(Problem, paths.problems(split))]
    print(f"oracle teacher for {len(problems):,} problems at http://{host}:{port}/v1 (any key, any model name)")
    uvicorn.run(create_app(problems, params.teacher.mistakes.model_dump()), host=host, port=port, log_level="warning")


@app.command()
def promote(
    require: Annotated[bool, typer.Option("--require", help="exit 1 when the gate refused")] = False,
) -> None:
    """Say what the gate decided of the last run."""
    from callwright.storage import read_json

    outcome = read_json(paths.REGISTRY)
    print(json.dumps(outcome, indent=2))
    if require and outcome["decision"] != "promoted":
        raise CallwrightError(f"refused: {'; '.join(outcome['reasons'])}")


def main() -> None:
    """Run the command; a user's mistake is one line and exit 1."""
    try:
        app()
    except CallwrightError as error:
        sys.stderr.write(f"callwright: {error}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
