"""The sources of problems by name. A new source is a class in a module of its own, and one line in SOURCES."""

from collections.abc import Mapping, Sequence, Set
from pkgutil import resolve_name
from typing import Any, Literal

from pydantic import ValidationError, create_model

from callwright.errors import ParamsError
from callwright.params import PARAMS_FILE, ProblemsParams, first_error_line
from callwright.params.section import Section
from callwright.problems.source import AnySource
from callwright.tasks.task import Task
from callwright.text import did_you_mean, one_line

SOURCES: Sequence[str] = (  # "module:class", in the order in which docs and errors list them
    "callwright.problems.synthetic:Synthetic",
    "callwright.problems.gsm8k:Gsm8k",
    "callwright.problems.folio:Folio",
    "callwright.problems.proofwriter:ProofWriter",
    "callwright.problems.jsonl:Jsonl",
)


def source_types(sources: Sequence[str] = SOURCES) -> dict[str, type[AnySource]]:
    """The classes of the sources, by name."""
    return {source.name: source for source in map(resolve_name, sources)}


def open_sources(
    params: ProblemsParams, tasks: Mapping[str, Task], sources: Sequence[str] = SOURCES, file: str = str(PARAMS_FILE)
) -> dict[str, AnySource]:
    """The sources that params.yaml chooses, with their params, by name: those of `problems.mix`, or `problems.source`.

    `Params.load` does not know the sources, so their names and sections are checked here: those of every source, also
    of the ones that are not chosen.

    Args:
        tasks: the sections of some sources list tasks.
        sources: as SOURCES.
        file: where the params come from; errors name it.

    Raises:
        ParamsError: there is no such source, or a section under `problems` has an unknown key or a wrong value, or the
            section of a chosen source is missing.
    """
    types = source_types(sources)
    if unknown := next((name for name in params.mix or () if name not in types), None):
        raise ParamsError(
            f"{file}: problems.mix: {one_line(unknown, 80)} is not a source ({did_you_mean(unknown, types)})"
        )
    sections = {types[name].section for name in params.shares if name in types}
    file_model = create_model("ParamsFile", __base__=Section, problems=(_problems_model(types, sections, tasks), ...))
    try:
        checked = file_model.model_validate({"problems": params.model_dump()}).problems  # type: ignore[attr-defined]
    except ValidationError as error:
        raise ParamsError(first_error_line(file_model, error, file)) from None
    return {name: types[name](getattr(checked, types[name].section)) for name in params.shares}


def _problems_model(
    types: Mapping[str, type[AnySource]], required: Set[str], tasks: Mapping[str, Task]
) -> type[ProblemsParams]:
    """ProblemsParams with the section of every source and no other key.

    Args:
        required: the sections that have to be there, those of the chosen sources.
    """
    sections: dict[str, Any] = {}
    for source in types.values():
        sections[source.section] = (source.section_type(tasks), ... if source.section in required else None)
    return create_model(
        "ProblemsParams",
        __base__=ProblemsParams,
        __cls_kwargs__={"extra": "forbid"},
        source=(Literal[tuple(types)], ...),  # type: ignore[arg-type]
        **sections,
    )
