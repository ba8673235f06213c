"""The past of a checkout, read only: what a file was in a commit. Git is a program here, and every failure is told."""

import os
import subprocess
from pathlib import Path

#: A hook of git sets these, and they would point away from the checkout that is asked about.
_ELSEWHERE = {
    f"GIT_{name}"
    for name in ("DIR", "WORK_TREE", "INDEX_FILE", "PREFIX", "COMMON_DIR", "NAMESPACE", "OBJECT_DIRECTORY")
}


class UnreadableBase(Exception):
    """The past cannot be read; the sentence says what to do. Never taken for an empty past."""


class History:
    """A checkout and what it says of its commits."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def around(cls, path: Path) -> "History":
        """The checkout that a path is in. Raises `UnreadableBase` where it is in none."""
        done = _complete(path, "rev-parse", "--show-toplevel")
        if done.returncode != 0:
            # Also where the folder belongs to somebody else, which git tells and how to allow it.
            reason = " ".join(done.stderr.decode(errors="replace").split())
            raise UnreadableBase(f"{path} is in no git checkout that can be read ({reason}).")
        return cls(Path(done.stdout.decode(errors="surrogateescape").rstrip("\n")))

    def fork_of(self, reference: str) -> str:
        """The commit from which HEAD went its own way from a reference. Raises `UnreadableBase`."""
        commit = _run(self.root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{reference}^{{commit}}")
        if commit is None:
            raise UnreadableBase(f"{reference!r} is no commit of this checkout. {self._advice()}")
        fork = _run(self.root, "merge-base", commit.decode().strip(), "HEAD")
        if fork is None:
            raise UnreadableBase(f"{reference!r} and HEAD have no commit in common. {self._advice()}")
        return fork.decode().split()[0]

    def _advice(self) -> str:
        if _run(self.root, "rev-parse", "--is-shallow-repository") == b"true\n":
            return "The clone is shallow: `git fetch --unshallow` (or fetch-depth: 0) brings the past."
        return "Fetch it first, or name another base."

    def file(self, commit: str, path: str) -> bytes | None:
        """A file as a commit has it; None where it has none. Raises `UnreadableBase`."""
        listed = _run(self.root, "ls-tree", "--full-tree", "-z", commit, "--", path)
        if listed is None:
            raise UnreadableBase(f"The commit {commit[:12]} cannot be read. {self._advice()}")
        if not listed:
            return None
        found = _run(self.root, "cat-file", "blob", f"{commit}:{path}")
        if found is None:
            raise UnreadableBase(f"{path} of the commit {commit[:12]} cannot be read. {self._advice()}")
        return found

    def commits_since(self, commit: str, path: str) -> list[str]:
        """The commits after one, up to HEAD, that touch a path; merges are looked into. The oldest is first."""
        found = _run(self.root, "rev-list", "--reverse", "--full-history", f"{commit}..HEAD", "--", path)
        if found is None:
            raise UnreadableBase(f"The commits since {commit[:12]} cannot be listed. {self._advice()}")
        return found.decode().split()

    def first_with(self, path: str) -> str | None:
        """The oldest commit that added a path."""
        found = _run(self.root, "rev-list", "--reverse", "HEAD", "--", path)
        return next(iter((found or b"").decode().split()), None)

    def newest_tag(self) -> str | None:
        found = _run(self.root, "describe", "--tags", "--abbrev=0")
        return found.decode().strip() if found else None


def _run(where: Path, *words: str) -> bytes | None:
    """What git prints; None where it fails."""
    done = _complete(where, *words)
    return done.stdout if done.returncode == 0 else None


def _complete(where: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    environ = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    command = ["git", "-C", str(where), "--no-optional-locks", "-c", "core.quotePath=false", *words]
    try:
        return subprocess.run(command, env=environ, capture_output=True, check=False, timeout=60)  # noqa: S603
    except FileNotFoundError:
        raise UnreadableBase("git is not installed, so there is no past to compare with.") from None
    except subprocess.TimeoutExpired:
        raise UnreadableBase("git did not answer within a minute.") from None
