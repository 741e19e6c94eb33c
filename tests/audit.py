"""`python -m tests.audit bandit|pip-audit TOOLS`: 0 unaccepted findings; see `audit.toml`.

TOOLS is the `bin` of the environment of requirements/package.txt. pip-audit asks a service on the
internet; where there is none it says so, and `--strict` makes that a failure.
"""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from tests.layout import REPO, ROOMS

ACCEPTED = REPO / "tests/audit.toml"
LOCKS = ("hub", "radio", "voice", "center", "build", "package")
UNASKED = "no service of known faults answers here: nothing was audited. Elsewhere: {command}"

Found = dict[str, Any]
Accepted = list[dict[str, Any]]


def judged(found: list[Found], accepted: Accepted, test: str) -> Iterator[str]:
    """Yield a sentence for each finding without an acceptance, and for each without a finding.

    An acceptance is for a `test` (or id) and, where it has `files` or `library`, for those.
    """
    used = set()
    for one in found:
        fits = [n for n, each in enumerate(accepted) if _fits(one, each, test)]
        used.update(fits)
        if not fits:
            yield f"{one[test]} {one['where']}: {one['text']}"
    for n, each in enumerate(accepted):
        if not str(each.get("reason", "")).strip():
            yield f"the acceptance of {each[test]} has no reason"
        if n not in used:
            yield f"nothing needs the acceptance of {each[test]}"


def _fits(one: Found, accepted: dict[str, Any], test: str) -> bool:
    places = accepted.get("files") or [accepted["library"]]
    return accepted[test] == one[test] and any(fnmatch(one["where"], place) for place in places)


def bandit(tools: Path) -> list[Found]:
    """What bandit finds in the code that homes and centres run."""
    words = [str(tools / "bandit"), "--quiet", "--recursive", "--format", "json", *ROOMS]
    done = subprocess.run(words, cwd=REPO, capture_output=True, text=True, check=False)
    told = json.loads(done.stdout)
    assert not told["errors"], told["errors"]
    return [
        {"test": one["test_id"], "where": one["filename"].removeprefix("./"),
         "text": f"line {one['line_number']}: {one['issue_text']}"}
        for one in told["results"]
    ]  # fmt: skip


def faults(told: str) -> list[Found] | None:
    """Read pip-audit's JSON; None where the service knew no library, or was not there."""
    try:
        libraries = json.loads(told)["dependencies"]
    except ValueError:
        return None
    asked = [one for one in libraries if "skip_reason" not in one]
    if not asked:
        return None
    unasked = [one for one in libraries if "skip_reason" in one]
    return [
        *({"id": "unasked", "where": one["name"], "text": one["skip_reason"]} for one in unasked),
        *(
            {"id": fault["id"], "where": f"{one['name']}", "text": f"in {one['version']}"}
            for one in asked
            for fault in one["vulns"]
        ),
    ]


def pip_audit(tools: Path) -> list[Found] | None:
    """The known faults of all locked versions; None where nobody could be asked."""
    found: list[Found] = []
    for lock in LOCKS:
        words = [str(tools / "pip-audit"), "--disable-pip", "--require-hashes", "--format", "json",
                 "--progress-spinner", "off", "-r", f"requirements/{lock}.txt"]  # fmt: skip
        done = subprocess.run(words, cwd=REPO, capture_output=True, text=True, check=False)
        these = faults(done.stdout)
        if these is None:
            return None
        found += these
    return found


def main() -> None:
    """Print what is not accepted; exit with 1 when there is any."""
    kind, tools, strict = sys.argv[1], Path(sys.argv[2]).absolute(), "--strict" in sys.argv
    accepted: Accepted = tomllib.loads(ACCEPTED.read_text("utf-8")).get(kind, [])
    found = bandit(tools) if kind == "bandit" else pip_audit(tools)
    if found is None:
        sys.stdout.write(UNASKED.format(command="python -m tests.audit pip-audit TOOLS --strict\n"))
        sys.exit(int(strict))
    wrong = list(judged(found, accepted, "test" if kind == "bandit" else "id"))
    sys.stdout.write("".join(f"{line}\n" for line in wrong))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
