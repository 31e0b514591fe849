"""Paths of the pipeline's artifacts, relative to the project's folder. dvc.yaml has the same paths."""

from pathlib import Path

from callwright.records import Split

WORK = Path(".callwright")  # journals, checkpoints, locks: outside the DVC outs

PROBLEMS = Path("data/problems")
PROBLEMS_REPORT = Path("reports/problems.json")
DROPPED_ROWS = Path("reports/left_out.jsonl")  # with reasons
BASE = Path("models/base")
RECIPE = "recipe.json"  # in BASE: how the base was made
TEACHER_CHAINS = Path("data/chains/teacher.jsonl")
STUDENT_CHAINS = Path("data/chains/student.jsonl")
FAILURES = Path("data/chains/failures.jsonl")
ROLLOUT_REPORT = Path("reports/rollout.json")
VALIDATED = Path("data/validated/chains.jsonl")
QUARANTINE = Path("data/validated/quarantine.jsonl")
DATA_DOCS = Path("reports/data_docs/index.html")  # links to the sites of the two stages that check data
CHAINS_DOCS = Path("reports/data_docs/chains")
PAIRS_DOCS = Path("reports/data_docs/pairs")
DATA_HISTORY = WORK / "data_history.json"
QUALITY_REPORT = Path("reports/quality.json")
PAIRS_TRAIN = Path("data/pairs/train.jsonl")
PAIRS_DEV = Path("data/pairs/dev.jsonl")
DEMONSTRATIONS = Path("data/pairs/demonstrations.jsonl")
PAIRS_REPORT = Path("reports/pairs.json")
SAMPLES = Path("reports/samples.html")
STUDENT = Path("models/student")
TRAINING_FILE = "training.json"  # in STUDENT: identifies the training of its weights
ADAPTER = Path("models/adapter")
CURVES = Path("reports/curves.csv")
TRAIN_REPORT = Path("reports/train.json")
EVALUATION = Path("data/evaluation")
VARIANTS = EVALUATION / "variants.jsonl"  # the changed problems
METRICS = Path("reports/metrics.json")
ACCURACY_PLOT = Path("reports/accuracy.csv")
REPORT = Path("reports/index.html")
REGISTRY = Path("models/registry.json")
SECONDS = Path("reports/seconds")
DVC_LOCK = Path("dvc.lock")


def problems(split: Split) -> Path:
    """The problems of one split."""
    return PROBLEMS / f"{split}.jsonl"


def evaluation(model: str) -> Path:
    """One model's checked chains on the test problems."""
    return EVALUATION / f"{model}.jsonl"


def evaluated_samples(model: str) -> Path:
    """One model's checked samples of the test problems, if it was sampled."""
    return EVALUATION / "samples" / f"{model}.jsonl"


def evaluated_variants(model: str) -> Path:
    """One model's checked chains on the changed problems."""
    return EVALUATION / "variants" / f"{model}.jsonl"


def seconds(stage: str) -> Path:
    """The seconds (wall clock) of the last real run of a stage."""
    return SECONDS / f"{stage}.json"


def surprises(stage: str) -> Path:
    """The tracebacks of a stage's surprises, of the last run that had any."""
    return WORK / "surprises" / f"{stage}.log"
