"""A stand-in for docker: it records images and calls; `run` runs the command on this machine instead.

Like `docker run`, it uses the folder mounted at /workspace as working folder, checks that read-only mounts are
unchanged, and passes only the environment variables that `--env` names. It fails on every call that the workflows do
not need.
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
    options = parser.parse_args(arguments)
    if options.image not in known_images():
        sys.exit(f"no such image: {options.image}")
    mounts = {inside: outside for outside, inside, *_ in (volume.split(":") for volume in options.volume)}
    read_only = [Path(volume.split(":")[0]) for volume in options.volume if volume.endswith(":ro")]
    environment = {name: os.environ[name] for name in options.env} | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}/usr/bin{os.pathsep}/bin",
        "HOME": str(HERE),
        "PYTHONPATH": f"{mounts['/workspace']}/src",
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
    }
    os.chdir(mounts["/workspace"])
    before = change_times(read_only)
    done = subprocess.run(options.command, env=environment, check=False)
    if change_times(read_only) != before:
        sys.exit(f"docker stand-in: {options.command} changed a read-only mount")
    sys.exit(done.returncode)


def change_times(folders: list[Path]) -> dict[str, int]:
    """When each file was last changed. git rewrites its index even when it only reads, so `index` is left out."""
    files = [file for folder in folders for file in (folder, *folder.rglob("*"))]
    return {str(file): file.stat().st_mtime_ns for file in files if file.is_file() and file.name != "index"}


def known_images() -> list[str]:
    return IMAGES.read_text().split() if IMAGES.exists() else []


def main(arguments: list[str]) -> None:
    with CALLS.open("a") as calls:
        calls.write(json.dumps(arguments) + "\n")
    match arguments:
        case ["run", *rest]:
            run(rest)
        case ["image", "inspect", name]:
            sys.exit(name not in known_images())
        case ["build", "--tag", name, *_]:
            IMAGES.write_text(f"{name}\n")
        case ["rm", "--force", _]:
            pass
        case _:
            sys.exit(f"docker stand-in: {arguments}")


if __name__ == "__main__":
    main(sys.argv[1:])
