"""`./check` in a root of another Debian, made by debootstrap: `./check --root trixie [OPTION]...`.

`tests/root/run SUITE --run FOLDER COMMAND...` runs another command in a copy of the tree there;
FOLDER is /out to it.

The root is as a user's machine is: Debian's own Python and nothing of ours. It is built once and
kept in `${ANBU_ROOT_CACHE:-~/.cache/anbu-root}`; each run works on a copy of the tree (committed or
not) in a mount and process namespace of its own, so that nothing is left behind. `./check` installs
what it needs there, and the root keeps it for the next run.

Mirrors and certificates are those of this machine's apt and pip.
"""

import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.pi.image import mirror
from tests.pi.stages import BuildError, cache_folder, download, key_of, need_packages, stage

REPO = Path(__file__).resolve().parents[2]
TREE = "src/anbu"  # in the root; what lies beside the project here lies beside it there
OTHER_TREE = "src/other/anbu"  # of another command: it may run beside a check
PACKAGES = "ca-certificates,git,python3"
TOOLS = (("debootstrap", Path("/usr/sbin/debootstrap")), ("util-linux", Path("/usr/bin/unshare")))
BORROWED = (
    "etc/ssl/certs/ca-certificates.crt",
    "etc/pip.conf",
    "etc/xdg/pip/pip.conf",
    "etc/xdg/pip/constraints.txt",
    "etc/resolv.conf",
    "etc/hosts",
)
INSIDE = """
set -e
mount -t proc proc "$0/proc"
mount --rbind /sys "$0/sys"
mount --rbind /dev "$0/dev"
mount -t tmpfs tmpfs "$0/run"
mount -t tmpfs tmpfs "$0/tmp"
if [ -n "$ANBU_OUT" ]; then mkdir -p "$0/out" && mount --bind "$ANBU_OUT" "$0/out"; fi
exec chroot "$0" sh -c 'cd "/$0" && exec "$@"' "$@"
"""

USAGE = "usage: tests/root/run SUITE [OPTION OF ./check]... | SUITE --run FOLDER COMMAND..."

log = logging.getLogger("anbu-root")


def build(suite: str) -> Path:
    """The folder with the root of `suite`; a minute or two at first, then at once."""
    need_packages(TOOLS)
    key = key_of(suite, PACKAGES)
    return stage(f"root-{suite}", key, lambda folder: _bootstrap(suite, folder), _cache())


def _cache() -> Path:
    return cache_folder("ANBU_ROOT_CACHE", "anbu-root")


def _bootstrap(suite: str, folder: Path) -> None:
    include = f"--include={PACKAGES}"
    root = folder / "root"
    download(
        "debootstrap", "--variant=minbase", include, suite, root, mirror(),
        clean=lambda: shutil.rmtree(root, ignore_errors=True),
    )  # fmt: skip


def lend(root: Path) -> None:
    """Copy into the root what this machine's network needs: names, certificates, pip's settings."""
    for name in BORROWED:
        source, target = Path("/") / name, root / name
        if source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            shutil.copy(source, target)


def lay(root: Path, place: str = TREE) -> None:
    """Lay the tree into the root, with its history: what git tracks or would track."""
    tree = root / place
    shutil.rmtree(tree, ignore_errors=True)
    subprocess.run(["git", "clone", "-q", "--no-hardlinks", REPO, tree], check=True)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPO, check=True, capture_output=True, text=True,
    ).stdout.split("\0")  # fmt: skip
    for name in filter(None, listed):
        source, target = REPO / name, tree / name
        if source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
        else:
            target.unlink(missing_ok=True)
    beside = REPO.parent / "shared"
    if beside.exists():
        shutil.copytree(beside, tree.parent / "shared", dirs_exist_ok=True)


def environment() -> dict[str, str]:
    """What a process in the root sees: no tools of this machine, its certificates and settings."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(("PIP_", "SSL_", "ANBU_"))
        or name in {"CI", "TERM", "http_proxy", "https_proxy"}
    }
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {**kept, "PATH": path, "HOME": "/root", "LANG": "C.UTF-8"}


def run(suite: str, place: str, command: list[str], out: Path | None = None) -> int:
    """Run a command in a copy of the tree, in the root of `suite`; its exit code."""
    root = build(suite) / "root"
    lend(root)
    lay(root, place)
    words = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", INSIDE]
    done = subprocess.run(
        [*words, str(root), place, *command],
        env={**environment(), "ANBU_OUT": str(out or "")},
        check=False,
    )
    return done.returncode


def main() -> None:
    """`SUITE [OPTION]...`: what is behind the suite goes to ./check."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        match sys.argv[1:]:
            case [] | [_, "--run"] | [_, "--run", _]:
                sys.exit(USAGE)
            case [suite, *_] if os.geteuid() != 0:
                sys.exit(f"a root needs root: sudo tests/root/run {suite}")
            case [suite, "--run", folder, *command]:
                sys.exit(run(suite, OTHER_TREE, command, Path(folder).resolve()))
            case [suite, *options]:
                sys.exit(run(suite, TREE, ["./check", *options]))
            case _:
                sys.exit(USAGE)
    except BuildError as trouble:
        sys.exit(f"tests/root/run: {trouble}")
