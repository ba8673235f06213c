"""What was used last, up to a number of entries."""

from __future__ import annotations

from app.recent import Recent


def test_the_one_that_was_used_least_recently_goes() -> None:
    known: Recent[str, int] = Recent(2)
    known.keep("a", 1)
    known.keep("b", 2)
    assert known.find("a") == 1
    known.keep("c", 3)
    assert (known.find("a"), known.find("b"), known.find("c")) == (1, None, 3)


def test_what_is_kept_again_was_used() -> None:
    known: Recent[str, int] = Recent(2)
    known.keep("a", 1)
    known.keep("b", 2)
    known.keep("a", 4)
    known.keep("c", 3)
    assert dict(known) == {"a": 4, "c": 3}


def test_a_look_is_no_use() -> None:
    known: Recent[str, int] = Recent(2)
    known.keep("a", 1)
    known.keep("b", 2)
    assert known.get("a") == 1 and "a" in known
    known.keep("c", 3)
    assert list(known) == ["b", "c"]
