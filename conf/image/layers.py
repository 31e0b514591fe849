"""Prints the layers of an image in buildah's store, oldest first: megabytes unpacked, and the instruction behind each.

buildah has no `history` command; its store keeps the size of every layer in a JSON index.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def _asked(*command: str) -> Any:
    return json.loads(subprocess.run(["buildah", *command], capture_output=True, check=True).stdout)


def main() -> None:
    store = _asked("info")["store"]
    driver = store["GraphDriverName"]
    index = json.loads((Path(store["GraphRoot"]) / f"{driver}-layers/layers.json").read_text())
    sizes = {layer["diff-digest"]: layer["diff-size"] for layer in index if "diff-digest" in layer}
    image = _asked("inspect", "--type", "image", sys.argv[1])["OCIv1"]
    made = [entry.get("created_by", "") for entry in image["history"] if not entry.get("empty_layer")]
    digests = image["rootfs"]["diff_ids"]
    for digest, command in zip(digests, made, strict=True):
        words = command.removeprefix("/bin/sh -c ").removeprefix("#(nop) ").split("#")[0].split()
        print(f"{sizes[digest] / 1e6:8.0f} MB  {' '.join(words)[:100]}")  # noqa: T201
    print(f"{sum(sizes[digest] for digest in digests) / 1e6:8.0f} MB  together")  # noqa: T201


if __name__ == "__main__":
    main()
