"""Refuse values that only later stages use, before the first stage works: some would show after hours."""

from difflib import get_close_matches
from pathlib import Path

from callwright.chat.open_chat import check_known
from callwright.errors import ParamsError
from callwright.params import Params

LAUNCH_FILES = Path("conf/accelerate")


def check_later_stages(params: Params) -> None:
    """Check the addresses of models and the launch file of the training.

    Raises:
        ParamsError: no chat backend knows an address, or there is no such launch file.
    """
    check_known(params.teacher.base_url, "teacher")
    for model in ("base", "student"):
        endpoint = params.evaluate.endpoint(model)
        if endpoint is not None:
            check_known(endpoint.base_url, f"evaluate.endpoints.{model}")
    known = sorted(path.stem for path in LAUNCH_FILES.glob("*.yaml"))
    name = params.train.accelerate
    if known and name not in known:
        close = get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"
        raise ParamsError(f"params.yaml: train.accelerate: there is no {LAUNCH_FILES / name}.yaml ({hint})")
