"""Send mutated messages to the host: python -m tests.fuzz --count 100000 --seed 1.

Ends with status 1 if one of them broke the host, was kept although it is too large, or earned a point.
"""

import argparse
import random
import sys
from collections import Counter

from tqdm.auto import tqdm

from seqlib.threads import limit_threads
from tests.fuzz.answers import Answers
from tests.fuzz.outputs import Outputs


def main() -> None:
    """Fuzz, and print how the messages ended."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, help="answers to checks")
    parser.add_argument("--cells", type=int, help="cells with damaged outputs; default: a tenth of the answers")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    limit_threads(1)
    generator = random.Random(asked.seed)
    statuses: Counter[str] = Counter()
    scored = 0
    with Answers(generator) as answers:
        for _ in tqdm(range(asked.count), desc="answers", disable=None):
            status, earned = answers.one()
            statuses[status] += 1
            scored += earned > 0
    outputs, states = Outputs(generator), Counter[str]()
    for _ in tqdm(range(asked.cells if asked.cells is not None else asked.count // 10), desc="cells", disable=None):
        states[outputs.one()] += 1
    print(f"{asked.count} checks with mutated answers: {dict(statuses)}; {scored} earned a point")
    print(f"{states.total()} cells with mutated outputs: {dict(states)}; all kept within limits and valid")
    sys.exit(int(scored > 0))


if __name__ == "__main__":
    main()
