"""Presets: small overlays of params.yaml, written into it with its comments kept."""

import io
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from callwright.errors import ParamsError
from callwright.params import PARAMS_FILE, Params
from callwright.storage.files import write_text

PRESETS = Path("conf/presets")


def apply_preset(name: str, params: Path = PARAMS_FILE, presets: Path = PRESETS) -> list[str]:
    """Overlay a preset on params.yaml; returns the dotted names of what changed.

    All presets set the same keys, so that one replaces the other whole; keys that none sets keep what the user wrote.

    Raises:
        ParamsError: there is no such preset, or the result would not be valid (the file is left as it was).
    """
    from ruamel.yaml import YAML

    known = sorted(path.stem for path in presets.glob("*.yaml"))
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
        raise ParamsError(f"{presets / name}.yaml does not exist ({hint})")
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 120
    try:
        values = yaml.load(params.read_text())
    except FileNotFoundError:
        raise ParamsError(f"{params} is missing: run this from the project's folder") from None
    changed = _overlay(values, yaml.load((presets / f"{name}.yaml").read_text()), "")
    text = io.StringIO()
    yaml.dump(values, text)
    trial = params.with_name(f".{params.name}.trial")
    try:
        trial.write_text(text.getvalue())
        Params.load(trial)
    finally:
        trial.unlink(missing_ok=True)
    write_text(params, text.getvalue())
    return changed


def _overlay(values: Any, overlay: Mapping[str, Any], prefix: str) -> list[str]:
    changed = []
    for key, value in overlay.items():
        if value and isinstance(value, Mapping) and isinstance(values.get(key), Mapping):
            changed += _overlay(values[key], value, f"{prefix}{key}.")
        elif values.get(key) != value:
            values[key] = value
            changed.append(f"{prefix}{key}")
    return changed
