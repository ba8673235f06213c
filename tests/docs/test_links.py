"""Links in docs/ lead somewhere, and every page can be reached from the index."""

from pathlib import Path

import pytest

from tests.docs.pages import DOCS, ROOT, anchors, links, name_of, pages


def _target(page: Path, link: str) -> tuple[Path, str]:
    where, _, anchor = link.partition("#")
    return ((page.parent / where).resolve() if where else page), anchor


def _is_outside(link: str) -> bool:
    return link.startswith(("https://", "http://", "mailto:"))


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_links_resolve(page: Path) -> None:
    """Every relative link names a file of this repository and, behind a #, a heading in it."""
    for link in links(page):
        if _is_outside(link):
            continue
        target, anchor = _target(page, link)
        assert target.is_relative_to(ROOT), f"{link} leads out of the repository"
        assert target.is_file(), f"{link} names no file"
        assert not anchor or anchor in anchors(target), f"{link} names no heading of {target.name}"


def test_every_page_is_reached_from_the_index() -> None:
    """A page that nothing links to is not found by a reader."""
    seen, waiting = set(), [DOCS / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen:
            continue
        seen.add(page)
        targets = [_target(page, link)[0] for link in links(page) if not _is_outside(link)]
        waiting += [target for target in targets if target.suffix == ".md" and target.is_relative_to(DOCS)]
    unreached = {name_of(page) for page in set(pages()) - seen}
    # The table of settings is compared with the code by a test of its own, and named in the index.
    assert unreached <= {"operations/settings.md"}
