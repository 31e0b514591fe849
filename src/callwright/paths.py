"""Where the pipeline's artifacts lie, relative to the project's folder. dvc.yaml names the same paths."""

from pathlib import Path

from callwright.records import Split

WORK = Path(".callwright")  # journals, checkpoints, locks: outside the DVC outs

PROBLEMS = Path("data/problems")
PROBLEMS_REPORT = Path("reports/problems.json")
DROPPED_ROWS = Path("reports/left_out.jsonl")  # rows of the source that are no problems, and why
BASE = Path("models/base")
RECIPE = "recipe.json"  # in BASE: how it came about
TEACHER_CHAINS = Path("data/chains/teacher.jsonl")
STUDENT_CHAINS = Path("data/chains/student.jsonl")
FAILURES = Path("data/chains/failures.jsonl")
ROLLOUT_REPORT = Path("reports/rollout.json")
VALIDATED = Path("data/validated/chains.jsonl")
QUARANTINE = Path("data/validated/quarantine.jsonl")
DATA_DOCS = Path("reports/data_docs/index.html")  # leads to the sites of the two stages that check data
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
TRAINING_FILE = "training.json"  # in STUDENT: which training its weights come from
ADAPTER = Path("models/adapter")
CURVES = Path("reports/curves.csv")
TRAIN_REPORT = Path("reports/train.json")
EVALUATION = Path("data/evaluation")
VARIANTS = EVALUATION / "variants.jsonl"  # the changed problems, as they were asked
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
    """One model's checked samples of the test problems, where there are any."""
    return EVALUATION / "samples" / f"{model}.jsonl"


def evaluated_variants(model: str) -> Path:
    """One model's checked chains on the changed problems."""
    return EVALUATION / "variants" / f"{model}.jsonl"


def seconds(stage: str) -> Path:
    """Wall clock of the last real run of a stage."""
    return SECONDS / f"{stage}.json"


def surprises(stage: str) -> Path:
    """Tracebacks of what nobody expected in the last run of a stage that had such."""
    return WORK / "surprises" / f"{stage}.log"
