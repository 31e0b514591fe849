"""Effects of training's settings on the embedded student: one `dvc exp run` each, and a table of the results.

    python benchmarks/sweep.py tuning            # beta, learning rate and SFT weight, one at a time
    python benchmarks/sweep.py ablation --seeds 7 8 9

Run it in a clean clone (an experiment is a commit of the working tree), without other load if seconds matter. Earlier
results come from DVC's cache, so a stopped sweep can be resumed. Prints a Markdown table last.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import mean

PARAMS = Path("params.yaml")
FASTER = {"train.learning_rate": "5.0e-4", "train.epochs": "2"}  # for one phase alone
DPO_ALONE = {"train.sft.epochs": "0", **FASTER}
TEACHER_ALONE = {"rollout.student.chains": "0"}
ABLATION = {
    "SFT only": {"train.loss_weights": "[0.0,1.0]", **FASTER},
    "DPO, the teacher's pairs only": {**DPO_ALONE, **TEACHER_ALONE},
    "DPO, with on-policy pairs": DPO_ALONE,
    "SFT and DPO (the default)": {},
}
TUNING = {  # around a learning rate that is too high after a warm-up, where the other settings have an effect
    "the default": {},
    "learning rate 5.0e-4": FASTER,
    **{f"learning rate {rate}": {**FASTER, "train.learning_rate": rate} for rate in ("5.0e-5", "1.5e-4", "1.5e-3")},
    **{f"5.0e-4, beta {beta}": {**FASTER, "train.beta": beta} for beta in ("0.03", "0.1", "1.0")},
    **{
        f"5.0e-4, SFT weight {weight}": {**FASTER, "train.loss_weights": f"[1.0,{weight}]"}
        for weight in ("0.0", "1.0", "16.0")
    },
    "1.5e-3, SFT weight 0.2": {**FASTER, "train.learning_rate": "1.5e-3", "train.loss_weights": "[1.0,0.2]"},
}
FEWER = {"evaluate.robustness.problems": "0", "evaluate.traces": "0"}  # the tables do not show these
SETS = {"ablation": ABLATION, "tuning": TUNING}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", choices=SETS)
    parser.add_argument("--seeds", nargs="+", type=int, default=[7])
    parser.add_argument("--out", type=Path, help="also write what was found, as JSON")
    options = parser.parse_args()
    params, figures = PARAMS.read_text(), dict[str, list[dict[str, float]]]()
    for seed in options.seeds:
        for name, changes in SETS[options.set].items():
            PARAMS.write_text(params)  # an experiment changes the file, and the next would start from it
            figures.setdefault(name, []).append(run({"seed": str(seed), **FEWER, **changes}))
            print(f"{name}, seed {seed}: {figures[name][-1]}", file=sys.stderr, flush=True)
        if options.out:
            options.out.write_text(json.dumps(figures, indent=2))
    PARAMS.write_text(params)
    print("\n".join(table(figures)))


def run(changes: dict[str, str]) -> dict[str, float]:
    """Accuracies and training figures of the pipeline under these params."""
    set_params = [argument for name, value in changes.items() for argument in ("--set-param", f"{name}={value}")]
    subprocess.run(["dvc", "exp", "run", "--quiet", "evaluate", *set_params], check=True)
    metrics = json.loads(Path("reports/metrics.json").read_text())
    curves = json.loads(Path("reports/train.json").read_text())
    student = metrics["accuracy"]["student"]
    held_out = [share["value"] * share["n"] for name, share in student.items() if name.endswith("/held_out")]
    seen = [share["value"] * share["n"] for name, share in student.items() if name.endswith("/seen")]
    counts = {kind: sum(o["n"] for n, o in student.items() if n.endswith(f"/{kind}")) for kind in ("seen", "held_out")}
    return {
        "base": metrics["accuracy"]["base"]["overall"]["value"],
        "student": student["overall"]["value"],
        "seen": sum(seen) / counts["seen"],
        "held-out": sum(held_out) / counts["held_out"],
        "valid calls": metrics["valid_calls"]["student"],
        "chosen": curves["last"]["chosen_log_probs"],
        "seconds": metrics["seconds"]["train"],
    }


def table(figures: dict[str, list[dict[str, float]]]) -> Iterator[str]:
    columns = list(next(iter(figures.values()))[0])
    yield f"| | {' | '.join(columns)} |"
    yield "|---|" + "---|" * len(columns)
    for name, rows in figures.items():
        yield f"| {name} | {' | '.join(cell([row[column] for row in rows], column) for column in columns)} |"


def cell(values: list[float], column: str) -> str:
    """The mean, and the lowest and highest of several seeds."""
    written = "{:.1f}" if column in ("chosen", "seconds") else "{:.1%}"
    shown = written.format(mean(values))
    return shown if len(values) == 1 else f"{shown} ({written.format(min(values))} to {written.format(max(values))})"


if __name__ == "__main__":
    main()
