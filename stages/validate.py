"""Execute every call again, judge every chain, and check the data's quality."""

from itertools import chain as one_after_another

from callwright import paths
from callwright.params import Params
from callwright.records import SPLITS, Chain, Problem
from callwright.stage import Clock, run_stage
from callwright.storage import read, write, write_json
from callwright.tasks import load as load_tasks
from callwright.validation.quality import validate_chains
from callwright.validation.suite import refuse_critical


def main(_: Clock) -> None:
    params = Params.load()
    load_tasks(params.functions)
    problems = {problem.id: problem for split in SPLITS for problem in read(Problem, paths.problems(split))}
    chains = one_after_another(read(Chain, paths.TEACHER_CHAINS), read(Chain, paths.STUDENT_CHAINS))
    validated = validate_chains(chains, problems, params.validate_, paths.DATA_DOCS)
    write(paths.VALIDATED, validated.kept)
    write(paths.QUARANTINE, validated.quarantined)
    write_json(paths.QUALITY_REPORT, validated.report)
    counts = validated.report["chains"]
    print(f"validate: {counts['kept']:,} of {counts['in']:,} chains kept; correct: {validated.report['correct']}")
    refuse_critical(validated.checks, counts["quarantined"], counts["in"], params.validate_.max_quarantined_share)


if __name__ == "__main__":
    run_stage("validate", main)
