"""One checkout is made; each test has a copy of it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contract.check.checkouts import Checkout


@pytest.fixture(scope="session")
def first_checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return Checkout.make(tmp_path_factory.mktemp("checkouts") / "first")


@pytest.fixture
def checkout(first_checkout: Checkout, tmp_path: Path) -> Checkout:
    return first_checkout.copy(tmp_path / "checkout")


@pytest.fixture
def clone(first_checkout: Checkout, tmp_path: Path) -> Callable[..., Checkout]:
    def make(*options: str) -> Checkout:
        first_checkout.git("clone", "-q", *options, f"file://{first_checkout.root}", str(tmp_path / "clone"))
        return Checkout(tmp_path / "clone")

    return make
