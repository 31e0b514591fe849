"""The `callwright` command."""

import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callwright import paths
from callwright.errors import CallwrightError, ParamsError
from callwright.records import SPLITS, Problem, Protocol
from callwright.text import escape_controls, one_line

if TYPE_CHECKING:
    from callwright.tasks import Tasks
    from callwright.tasks.task import Task

log = logging.getLogger("callwright")
PARAMS_FILE = Path("params.yaml")  # as `callwright.params.PARAMS_FILE`, whose import would slow down every command

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.command()
def preset(name: Annotated[str, typer.Argument(help="a file of conf/presets, without .yaml")]) -> None:
    """Apply a preset to params.yaml; comments stay."""
    from callwright.cli.preset import apply_preset

    changed = apply_preset(name)
    print(one_line(f"params.yaml: {', '.join(changed)}") if changed else "params.yaml: nothing to change")


@app.command()
def functions(task: Annotated[str, typer.Argument(help="a task, such as arithmetic")]) -> None:
    """Print the section of the prompt about a task's functions."""
    from callwright.agent.protocol import TEXT

    print(escape_controls(TEXT.function_section(_find_task(task).toolbox)))


def _find_task(name: str) -> "Task":
    tasks = _load_tasks()
    if name not in tasks:
        raise ParamsError(f"there is no task {name}; the tasks are {', '.join(tasks)}")
    return tasks[name]


def _load_tasks(params_file: Path = PARAMS_FILE) -> "Tasks":
    """The shipped tasks, and those of the user's own modules if params.yaml exists."""
    from callwright.params import Params
    from callwright.tasks import load_tasks

    return load_tasks(Params.load(params_file).functions if params_file.is_file() else ())


@app.command()
def show(
    chain_id: Annotated[str | None, typer.Argument(help="for example synthetic/train/000012/base/0")] = None,
    problem: Annotated[str | None, typer.Option(help="show the tree of this problem's chains, with values")] = None,
    pair: Annotated[str | None, typer.Option(help="show this preference pair")] = None,
) -> None:
    """Print a stored chain step by step with its verdict, a problem's tree, or a pair."""
    from callwright.cli.show import show_chain, show_pair, show_problem

    choices = ((show_chain, chain_id), (show_problem, problem), (show_pair, pair))
    requested = [(show_record, record_id) for show_record, record_id in choices if record_id]
    if len(requested) != 1:
        raise ParamsError("name one thing to show: a chain's id, or --problem ID, or --pair ID")
    ((show_record, record_id),) = requested
    show_record(record_id)


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="in quotes")],
    task: Annotated[str, typer.Option(help="a task, such as arithmetic")],
    model: Annotated[
        str | None, typer.Option(help="a folder, models:/name@alias, or an endpoint's URL; by default the champion")
    ] = None,
    name: Annotated[str | None, typer.Option(help="the endpoint's name for the model")] = None,
    protocol: Annotated[
        Protocol | None, typer.Option(help="by default the model's own, or that of params.yaml")
    ] = None,
    api_key_env: Annotated[
        str, typer.Option(help="the environment variable with the endpoint's key")
    ] = "TEACHER_API_KEY",
) -> None:
    """Let a model solve a problem, and print the steps as they are made; exit 1 without an answer."""
    from callwright.cli.ask import ask as ask_model
    from callwright.cli.ask import open_model
    from callwright.cli.show import TranscriptPrinter
    from callwright.pipeline.logs import quiet_libraries

    quiet_libraries()
    selected_task = _find_task(task)
    opened = open_model(model, name, api_key_env)
    printer = TranscriptPrinter()
    chain = ask_model(question, selected_task, opened, protocol or opened.protocol, printer.print_step)
    printer.print_answer(chain)
    if chain.answer is None:
        raise typer.Exit(1)


@app.command()
def oracle(
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    host: Annotated[str, typer.Option(help="keep the loopback address: the oracle requires no key")] = "127.0.0.1",
    params_file: Annotated[Path, typer.Option("--params")] = PARAMS_FILE,
    busy: Annotated[float, typer.Option(min=0, max=1, help="share of requests answered with 429")] = 0.0,
    broken: Annotated[float, typer.Option(min=0, max=1, help="share of requests answered with 500")] = 0.0,
    latency_s: Annotated[float, typer.Option("--latency", min=0, help="seconds until a reply is sent")] = 0.0,
) -> None:
    """Serve the oracle teacher (a stand-in for a large model) for the problems in data/problems."""
    import uvicorn

    from callwright.params import Params
    from callwright.standins.oracle.app import create_app
    from callwright.standins.oracle.server_faults import ServerFaults
    from callwright.storage.jsonl import read
    from callwright.tasks import load_tasks

    params = Params.load(params_file)
    tasks = load_tasks(params.functions)
    problems = [problem for split in SPLITS for problem in read(Problem, paths.problems(split))]
    print(f"oracle teacher for {len(problems):,} problems at http://{host}:{port}/v1 (any key, any model name)")
    faults = ServerFaults(busy=busy, broken=broken)
    app = create_app(problems, params.teacher.mistakes.model_dump(), faults=faults, latency_s=latency_s, tasks=tasks)
    uvicorn.run(app, host=host, port=port, log_level="warning")


@app.command()
def promote(
    require: Annotated[
        bool, typer.Option("--require", help="exit 1 unless the student in models/student is promoted and registered")
    ] = False,
) -> None:
    """Print the gate's decision about the last run."""
    from callwright.registry.decision import read_decision, require_promoted
    from callwright.registry.promote import require_registered

    decision = read_decision()
    print(json.dumps(decision, indent=2))
    if require:
        require_promoted(decision)
        require_registered(decision)


@app.command()
def rollback() -> None:
    """Swap the champion and the previous champion in the registry."""
    from callwright.params import Params
    from callwright.pipeline.logs import quiet_libraries
    from callwright.registry.promote import roll_back

    quiet_libraries()
    name = Params.load().promote.model_name
    champion, previous = roll_back(name)
    print(f"{name}: version {champion} is champion, version {previous} is previous")


def main() -> None:
    """Run the command; a user's mistake is one line on stderr and exit code 1."""
    from callwright.pipeline.logs import log_to_stderr

    log_to_stderr()
    try:
        app()
    except CallwrightError as error:
        log.error("callwright: %s", error)
        sys.exit(1)


if __name__ == "__main__":
    main()
