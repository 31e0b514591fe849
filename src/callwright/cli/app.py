"""The `callwright` command."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callwright import paths
from callwright.errors import CallwrightError, ParamsError
from callwright.records import SPLITS, Problem, Protocol
from callwright.redaction import redacted
from callwright.text import escape_controls, one_line

if TYPE_CHECKING:
    from callwright.tasks.task import Task
    from callwright.tasks.user_tasks import Tasks

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.command()
def preset(name: Annotated[str, typer.Argument(help="a file of conf/presets, without .yaml")]) -> None:
    """Overlay a preset on params.yaml; its comments stay."""
    from callwright.cli.preset import apply_preset

    changed = apply_preset(name)
    print(one_line(f"params.yaml: {', '.join(changed)}") if changed else "params.yaml: nothing to change")


@app.command()
def functions(task: Annotated[str, typer.Argument(help="a task, such as arithmetic")]) -> None:
    """Print what the prompt says of a task's functions."""
    from callwright.agent.protocol import TEXT

    print(escape_controls(TEXT.function_section(_find_task(task).toolbox)))


def _find_task(name: str) -> "Task":
    tasks = _load_tasks()
    if name not in tasks:
        raise ParamsError(f"there is no task {name}; the tasks are {', '.join(tasks)}")
    return tasks[name]


def _load_tasks(params_file: Path = Path("params.yaml")) -> "Tasks":
    """The tasks, with those of the user's own modules where there are params."""
    from callwright.params import Params
    from callwright.tasks import load

    return load(Params.load(params_file).functions if params_file.is_file() else ())


@app.command()
def show(
    chain_id: Annotated[str | None, typer.Argument(help="such as synthetic/train/000012/base/0")] = None,
    problem: Annotated[str | None, typer.Option(help="show the tree of this problem's chains, with values")] = None,
    pair: Annotated[str | None, typer.Option(help="show this preference pair")] = None,
) -> None:
    """Print a stored chain step by step with its verdict, a problem's tree, or a pair."""
    from callwright.cli.show import show_chain, show_pair, show_problem

    given = [
        (show, name) for show, name in ((show_chain, chain_id), (show_problem, problem), (show_pair, pair)) if name
    ]
    if len(given) != 1:
        raise ParamsError("name one thing to show: a chain's id, or --problem ID, or --pair ID")
    ((show_it, name),) = given
    show_it(name)


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="in quotes")],
    task: Annotated[str, typer.Option(help="a task, such as arithmetic")],
    model: Annotated[
        str | None, typer.Option(help="a folder, models:/name@alias, or an endpoint's URL; by default the champion")
    ] = None,
    name: Annotated[str | None, typer.Option(help="what an endpoint calls the model")] = None,
    protocol: Annotated[
        Protocol | None, typer.Option(help="by default the model's own, or that of params.yaml")
    ] = None,
    api_key_env: Annotated[str, typer.Option(help="the variable with an endpoint's key")] = "TEACHER_API_KEY",
) -> None:
    """Let a model solve a problem, and print its chain as it unfolds; exit 1 without an answer."""
    from callwright.cli.ask import ask as answer
    from callwright.cli.ask import open_model
    from callwright.cli.transcript import TranscriptPrinter
    from callwright.pipeline.stage import quiet_libraries

    quiet_libraries()
    chosen = _find_task(task)
    opened = open_model(model, name, api_key_env)
    transcript = TranscriptPrinter()
    chain = answer(question, chosen, opened, protocol or opened.protocol, transcript.step)
    transcript.answer(chain)
    if chain.answer is None:
        raise typer.Exit(1)


@app.command()
def oracle(
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    host: Annotated[str, typer.Option(help="leave at loopback: the oracle asks for no key")] = "127.0.0.1",
    params_file: Annotated[Path, typer.Option("--params")] = Path("params.yaml"),
    busy: Annotated[float, typer.Option(min=0, max=1, help="share of requests answered 429")] = 0.0,
    broken: Annotated[float, typer.Option(min=0, max=1, help="share of requests answered 500")] = 0.0,
    latency_s: Annotated[float, typer.Option("--latency", min=0, help="seconds that a reply takes")] = 0.0,
) -> None:
    """Serve the oracle teacher (a stand-in for a large model) for the problems in data/problems."""
    import uvicorn

    from callwright.params import Params
    from callwright.standins.oracle.app import create_app
    from callwright.standins.oracle.faults import ServerFaults
    from callwright.storage.jsonl import read

    params = Params.load(params_file)
    _load_tasks(params_file)
    problems = [problem for split in SPLITS for problem in read(Problem, paths.problems(split))]
    print(f"oracle teacher for {len(problems):,} problems at http://{host}:{port}/v1 (any key, any model name)")
    faults = ServerFaults(busy=busy, broken=broken)
    app = create_app(problems, params.teacher.mistakes.model_dump(), faults=faults, latency_s=latency_s)
    uvicorn.run(app, host=host, port=port, log_level="warning")


@app.command()
def promote(
    require: Annotated[
        bool, typer.Option("--require", help="exit 1 unless the student that lies there is promoted and registered")
    ] = False,
) -> None:
    """Say what the gate decided of the last run."""
    from callwright.registry.decision import read_decision, require_promoted
    from callwright.registry.promote import require_registered

    outcome = read_decision()
    print(json.dumps(outcome, indent=2))
    if require:
        require_promoted(outcome)
        require_registered(outcome)


@app.command()
def rollback() -> None:
    """Let the champion and the champion before it change places in the registry."""
    from callwright.params import Params
    from callwright.pipeline.stage import quiet_libraries
    from callwright.registry.promote import roll_back

    quiet_libraries()
    name = Params.load().promote.model_name
    champion, previous = roll_back(name)
    print(f"{name}: version {champion} is champion, version {previous} is previous")


def main() -> None:
    """Run the command; a user's mistake is one line and exit 1."""
    try:
        app()
    except CallwrightError as error:
        sys.stderr.write(f"callwright: {one_line(redacted(str(error)))}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
