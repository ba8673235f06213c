"""Installation keys: their form, their digests, and the pepper ring."""

import base64
import hashlib
import hmac
import json
import re
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from app.auth.credentials import (
    ALPHABET,
    SCANNER_PATTERN,
    Peppers,
    checksum,
    key_id,
    legacy_digest,
    matches,
    new_key,
    new_kid,
)
from app.database import Statement
from services.access.keys import Opened
from tests.world import World, running

DERANDOMIZED = settings(derandomize=True, max_examples=300, deadline=None)
base62 = st.characters(codec="ascii", whitelist_categories=("Lu", "Ll", "Nd"))
pepper = st.binary(min_size=32, max_size=32)


@st.composite
def keys(draw: st.DrawFn) -> str:
    mode, kid = draw(st.sampled_from(["live", "test"])), draw(st.text(base62, min_size=8, max_size=8))
    body = f"dvt_{mode}_{kid}_{draw(st.text(base62, min_size=32, max_size=32))}"
    return body + checksum(body)


# --- the form ------------------------------------------------------------------------------------------


@DERANDOMIZED
@given(keys())
def test_a_well_formed_key_tells_its_id(key: str) -> None:
    """The id stands in the key, the key has 56 characters, and a scanner finds it inside any text."""
    assert key_id(key) == key[9:17]
    assert len(key) == 56
    assert re.findall(SCANNER_PATTERN, f"key={key}&x") == [key]


@DERANDOMIZED
@given(keys(), st.data())
def test_any_one_changed_character_is_known_offline(key: str, data: st.DataObject) -> None:
    """Without a look-up: CRC-32 sees every change of up to 32 bits in a row."""
    at = data.draw(st.integers(0, len(key) - 1))
    other = data.draw(st.one_of(st.sampled_from(ALPHABET + "_-"), st.characters()))
    assume(other != key[at])
    assert key_id(key[:at] + other + key[at + 1 :]) is None


@DERANDOMIZED
@given(keys(), st.data())
def test_swapped_lost_and_doubled_characters_are_known(key: str, data: st.DataObject) -> None:
    """What happens when a key is typed by hand or cut when it is copied."""
    at = data.draw(st.integers(0, len(key) - 2))
    if key[at] != key[at + 1]:
        assert key_id(key[:at] + key[at + 1] + key[at] + key[at + 2 :]) is None
    assert key_id(key[:at] + key[at + 1 :]) is None
    assert key_id(key[:at] + key[at] + key[at:]) is None


@DERANDOMIZED
@given(keys())
def test_the_mode_cannot_be_changed(key: str) -> None:
    """A test key is no live key with another prefix."""
    swapped = key.replace("_live_", "_TEST_").replace("_test_", "_live_").replace("_TEST_", "_test_")
    assert swapped != key
    assert key_id(swapped) is None


@DERANDOMIZED
@given(st.text(max_size=80))
@example("dvt_live_\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668_" + "\u0661" * 38)
@example("dvt_live_" + "\udcff" * 47)
@example("dvt_live_abcdefgh_" + "A" * 38 + "\n")
@example("")
def test_any_text_at_all_is_no_key(text: str) -> None:
    """Never an exception: the header is the caller's. Digits of other scripts are no base62."""
    assert key_id(text) is None
    assert len(legacy_digest(text)) == 64


def test_fresh_keys_are_keys_and_differ() -> None:
    """Of the right form in both modes; a thousand of them are all different, and use the whole alphabet."""
    made = [new_key("live") for _ in range(500)] + [new_key("test") for _ in range(500)]
    assert all(key_id(key.text) == key.kid for key in made)
    assert len({key.text[18:50] for key in made}) == len({key.kid for key in made}) == 1_000
    assert set("".join(key.text[18:50] for key in made)) == set(ALPHABET)
    assert re.fullmatch(r"[0-9A-Za-z]{8}", new_kid())


@pytest.mark.parametrize(("body", "crc"), [("", "000000"), ("123456789", "3jZRME")])
def test_the_checksum_is_crc_32_in_base62(body: str, crc: str) -> None:
    """The check value of CRC-32 (0xCBF43926 for `123456789`), so that other programs can check keys too."""
    number = 0
    for digit in crc:
        number = number * 62 + ALPHABET.index(digit)
    assert number == (0xCBF43926 if body else 0)
    assert checksum(body) == crc


# --- digests and peppers ---------------------------------------------------------------------------------


@DERANDOMIZED
@given(keys(), pepper, pepper)
def test_old_keys_open_after_a_new_pepper(key: str, old: bytes, new: bytes) -> None:
    """Stored is which pepper was used: a key hashed with the old one is found by it, a new one by the current."""
    assume(old != new)
    before, after = Peppers("p1", {"p1": old}), Peppers("p2", {"p1": old, "p2": new})
    stored = before.digest(key)
    assert stored == hmac.new(old, key.encode(), hashlib.sha256).hexdigest()
    assert matches(key, digest=stored, algorithm="hmac-sha256", pepper_id="p1", peppers=after)
    assert after.digest(key) == after.digest(key, "p2") != stored
    assert not matches(key, digest=stored, algorithm="hmac-sha256", pepper_id="p2", peppers=after)


@DERANDOMIZED
@given(keys(), pepper)
def test_a_pepper_that_is_gone_opens_nothing(key: str, secret: bytes) -> None:
    """Taken out of the ring, or never named: no match and no exception."""
    stored = Peppers("p1", {"p1": secret}).digest(key)
    for pepper_id in ("p1", None, ""):
        ring = Peppers("p2", {"p2": secret})
        assert not matches(key, digest=stored, algorithm="hmac-sha256", pepper_id=pepper_id, peppers=ring)


@DERANDOMIZED
@given(st.text(max_size=100), st.text(max_size=100), pepper)
def test_a_legacy_digest_is_plain_sha_256(key: str, other: str, secret: bytes) -> None:
    """As the former system stored it; peppers have no part in it, and another text does not match."""
    assume(key.encode("utf-8", "surrogatepass") != other.encode("utf-8", "surrogatepass"))
    ring = Peppers("p1", {"p1": secret})
    stored = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
    assert matches(key, digest=stored, algorithm="sha256", pepper_id=None, peppers=ring)
    assert not matches(other, digest=stored, algorithm="sha256", pepper_id=None, peppers=ring)


async def test_a_new_pepper_in_the_file_keeps_old_keys_alive(tmp_path: Path) -> None:
    """A server started again with a second, current pepper opens keys of both, and hashes with the new one."""
    url, home = f"sqlite:///{tmp_path / 'test.sqlite'}", tmp_path / "home"
    async with running(url, home) as (app, client):
        old = await (await World(app, client).open()).ready_key()
    file = home / "keys" / "peppers.json"
    ring = json.loads(file.read_text())["ring"] | {"p2": base64.b64encode(b"2" * 32).decode()}
    file.write_text(json.dumps({"current": "p2", "ring": ring}))
    async with running(url, home) as (app, client):
        new = await (await World(app, client).open()).ready_key()
        assert [isinstance(await app.runtime.keys.open(key), Opened) for key in (old, new)] == [True, True]
        rows = await app.runtime.database.fetch(Statement("SELECT kid, pepper_id FROM credential"))
        assert {row["kid"]: row["pepper_id"] for row in rows} == {key_id(old): "p1", key_id(new): "p2"}
    file.write_text(json.dumps({"current": "p2", "ring": {"p2": ring["p2"]}}))
    async with running(url, home) as (app, _):
        assert [isinstance(await app.runtime.keys.open(key), Opened) for key in (old, new)] == [False, True]
