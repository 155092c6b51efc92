"""The tests of `ml` on this machine: `ml` picks the GPU where there is one, so most of them then run on it.

Some hold a result to the same bits, which only a CPU gives; they are named, and their failure is no answer here.
"""

import re
import subprocess
import sys

from ml.gpu.runner import ROOT
from warehouse.contract.stage_answers import FULL, REFUSED, start_stage

# Each needs what a GPU does not give: the same bits again, a CPU's processes, or fp32 where a GPU computes in bf16.
_ONLY_ON_CPU = "bit_equal or same_bits or processes or killed or resume or interrupted"
_REHEARSED = ("tests/ml/models/test_flops.py",)


def main() -> int:
    """Answer."""
    arguments, answers = start_stage()
    if not (ROOT / "tests" / "ml").is_dir():
        answers.note("the tests are not in this folder")
        return REFUSED
    paths = ["tests/ml"] if arguments.sizes == FULL else list(_REHEARSED)
    junit = arguments.work / "junit.xml"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *paths, f"--junitxml={junit}"]
    command += ["-m", "not slow and not engines", "-k", f"not ({_ONLY_ON_CPU})"]

    def measure() -> dict[str, object]:
        limit = max(answers.left - 2, 5)
        try:
            ended = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, timeout=limit, check=False)
        except subprocess.TimeoutExpired:
            return {"error": f"the tests were not through after {limit:.0f} s"}
        if ended.returncode not in (0, 1):
            return {"error": f"pytest ended with {ended.returncode}: {(ended.stdout + ended.stderr)[-400:]}"}
        counts = {
            word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|skipped|error)", ended.stdout)
        }
        named = re.findall(r"^(?:FAILED|ERROR) (\S+)", ended.stdout, re.MULTILINE)
        return counts | {"named": named}

    found = answers.item("tests", measure)
    if isinstance(found, dict) and "error" not in found:
        n_failed = found.get("failed", 0)
        answers.check("tests of ml that failed", n_failed, "none", is_within=n_failed == 0)
        answers.check("tests of ml that passed", found.get("passed", 0), "some", is_within=found.get("passed", 0) > 0)
        answers.table("Tests that failed", ["test"], [[name] for name in found["named"]])
    answers.save()
    return 0


if __name__ == "__main__":
    sys.exit(main())
