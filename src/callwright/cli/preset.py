"""Presets: small overlays of params.yaml. Applying one changes the values that differ and nothing else in the file."""

from pathlib import Path

from callwright.errors import ParamsError
from callwright.params import PARAMS_FILE, Params
from callwright.params.yaml_file import overlay_yaml, parse_sections, read_sections
from callwright.problems.sources import open_sources
from callwright.storage.files import write_text
from callwright.tasks import load_tasks
from callwright.text import did_you_mean

PRESETS = Path("conf/presets")


def apply_preset(name: str, params: Path = PARAMS_FILE, presets: Path = PRESETS) -> list[str]:
    """Overlay a preset on params.yaml.

    All presets set the same keys, so that each replaces another completely. Keys that no preset sets keep their values.

    Returns:
        The dotted names of the values that changed.

    Raises:
        ParamsError: there is no such preset, a file is not valid, or the result would not be valid; params.yaml is then
            unchanged.
    """
    known = sorted(path.stem for path in presets.glob("*.yaml"))
    if name not in known:
        raise ParamsError(f"{presets / name}.yaml does not exist ({did_you_mean(name, known)})")
    text, _ = read_sections(params)
    overlay, _ = read_sections(presets / f"{name}.yaml")
    new_text, changed = overlay_yaml(text, overlay, str(params))
    values = Params.check(parse_sections(new_text, str(params)), str(params))
    open_sources(values.problems, load_tasks(values.functions), file=str(params))
    write_text(params, new_text)
    return changed
