"""A checkout of this code of its own, with a past of its own, that tests may edit and commit in."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PARTS = ("app", "rest", "graphql", "services", "models", "migrations", "console", "schema.graphql", "piccolo_conf.py")
_WHO = {"NAME": "Test", "EMAIL": "test@example.org", "DATE": "2026-11-21T00:00:00+0000"}


class Checkout:
    """Files, commits and commands in one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def make(cls, root: Path) -> "Checkout":
        """The working tree of this code, as the first commit."""
        root.mkdir(parents=True)
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, root / part, ignore=shutil.ignore_patterns("assets"))
            else:
                shutil.copy(source, root / part)
        (root / "tests" / "contract").mkdir(parents=True)
        (root / "tests" / "contract" / "__init__.py").write_text("")
        made = cls(root)
        made.git("init", "-q", "-b", "main")
        (root / ".gitignore").write_text("__pycache__/\nvar/\n")
        made.commit("The first")
        return made

    def copy(self, root: Path) -> "Checkout":
        shutil.copytree(self.root, root)
        return Checkout(root)

    def git(self, *words: str) -> str:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        environ |= {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in _WHO.items()}
        environ |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        command = ["git", "-C", str(self.root), *words]
        return subprocess.run(command, env=environ, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, text: str) -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", text)
        return self.git("rev-parse", "HEAD")

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace a text that stands in a file."""
        file = self.root / path
        text = file.read_text()
        assert old in text, (path, old)
        file.write_text(text.replace(old, new))

    def dovetail(self, *words: str) -> subprocess.CompletedProcess[str]:
        environ = os.environ | {
            "PYTHONPATH": f"{self.root}{os.pathsep}{self.root / 'graphql'}",
            "DOVETAIL_HOME": str(self.root / "var"),
            "COLUMNS": "400",
        }
        # Without the folder of the caller on the path, the code of the checkout alone is run.
        command = [sys.executable, "-P", "-m", "app.cli", *words]
        return subprocess.run(command, env=environ, cwd=self.root, capture_output=True, text=True, check=False)
