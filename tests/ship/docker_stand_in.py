"""A stand-in for docker where none runs: remembers images and calls; `run` runs the command on this machine instead.

What it keeps of `docker run`: the folder mounted at /workspace is the working folder, what is mounted read-only must be
the same afterwards, and of the caller's environment only what `--env` names gets in. It fails on anything that the
workflows have no reason to ask for.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
IMAGES, CALLS = HERE / "images", HERE / "calls.jsonl"


def run(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for flag in ("--rm", "--init"):
        parser.add_argument(flag, action="store_true", required=True)
    for option in ("--name", "--gpus", "--shm-size", "--user"):
        parser.add_argument(option, required=True)
    parser.add_argument("--volume", action="append", required=True)
    parser.add_argument("--env", action="append", default=[])
    parser.add_argument("image")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    asked = parser.parse_args(arguments)
    if asked.image not in known():
        sys.exit(f"no such image: {asked.image}")
    mounts = {inside: outside for outside, inside, *_ in (one.split(":") for one in asked.volume)}
    fixed = [Path(one.split(":")[0]) for one in asked.volume if one.endswith(":ro")]
    environment = {name: os.environ[name] for name in asked.env} | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}/usr/bin{os.pathsep}/bin",
        "HOME": str(HERE),
        "PYTHONPATH": f"{mounts['/workspace']}/src",
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
    }
    os.chdir(mounts["/workspace"])
    before = state(fixed)
    done = subprocess.run(asked.command, env=environment, check=False)
    if state(fixed) != before:
        sys.exit(f"docker stand-in: {asked.command} changed what it was given to read")
    sys.exit(done.returncode)


def state(folders: list[Path]) -> dict[str, int]:
    """When each file and folder was changed last. git renews its index when it looks; where it may not, it goes on."""
    files = [file for folder in folders for file in (folder, *folder.rglob("*"))]
    return {str(file): file.stat().st_mtime_ns for file in files if file.is_file() and file.name != "index"}


def known() -> list[str]:
    return IMAGES.read_text().split() if IMAGES.exists() else []


def main(arguments: list[str]) -> None:
    with CALLS.open("a") as calls:
        calls.write(json.dumps(arguments) + "\n")
    match arguments:
        case ["run", *rest]:
            run(rest)
        case ["image", "inspect", name]:
            sys.exit(name not in known())
        case ["build", "--tag", name, *_]:
            IMAGES.write_text(f"{name}\n")
        case ["rm", "--force", _]:
            pass
        case _:
            sys.exit(f"docker stand-in: {arguments}")


if __name__ == "__main__":
    main(sys.argv[1:])
