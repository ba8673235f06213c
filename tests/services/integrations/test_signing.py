"""Signatures of webhooks: published examples, hostile headers, and that nothing but the right secret makes one hold."""

from __future__ import annotations

import hmac
import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.integrations.definitions.webhooks import Signature, Webhook
from services.integrations.signing.headers import Headers, prefixed_signature, standard_signatures, timestamped_parts
from services.integrations.signing.keys import key_of, new_secret, secret_fault
from services.integrations.signing.verifying import Held, SignatureRefused, sign, verify
from tests.runtime.webhooks import GITHUB, SCHEMES, SECRET, SLACK, STANDARD, STRIPE

NOW = 1_614_265_330
#: name: signature, secret, body, headers, seconds. The first is of the Standard Webhooks libraries and of Svix, the
#: second of GitHub's "Validating webhook deliveries", the third of Slack's "Verifying requests from Slack".
PUBLISHED = {
    "standard": (
        STANDARD,
        SECRET,
        b'{"test": 2432232314}',
        {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        },
        NOW,
    ),
    "github": (
        GITHUB,
        "It's a Secret to Everybody",
        b"Hello, World!",
        {"X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"},
        NOW,
    ),
    "slack": (
        SLACK,
        "8f742231b10e8888abcd99yyyzzz85a5",
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c",
        {
            "X-Slack-Request-Timestamp": "1531420618",
            "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
        },
        1_531_420_618,
    ),
}


def held(signature: Signature, secret: str, body: bytes, headers: dict[str, str], seconds: float) -> Held:
    return verify(Webhook(signatures=[signature]), Headers(headers.items()), body, [secret], int(seconds * 1_000))


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_published_examples_hold(name: str) -> None:
    signature, secret, body, headers, seconds = PUBLISHED[name]
    assert held(signature, secret, body, headers, seconds).scheme == signature.scheme
    made = sign(signature, secret, body, id="msg_p5jXN8AQM9LWM0D4loKWxJek", seconds=seconds)
    assert made == headers
    with pytest.raises(SignatureRefused):
        held(signature, secret, body + b" ", headers, seconds)


def test_stripe_signs_as_its_documentation_says() -> None:
    """`t=` and `v1=` hexadecimal of HMAC-SHA-256 over `t.body`, beside a `v0=`; Stripe publishes no secret to it."""
    body, secret = b'{"id":"evt_1","object":"event"}', "whsec_test_secret_of_stripe"
    mac = hmac.new(secret.encode(), b"1614265330." + body, "sha256").hexdigest()
    header = f"t=1614265330,v1={'0' * 64},v1={mac},v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39"
    found = held(STRIPE, secret, body, {"Stripe-Signature": header}, NOW)
    assert (found.id, found.signed_at) == (None, NOW * 1_000)


@pytest.mark.parametrize("name", sorted(SCHEMES))
@given(body=st.binary(max_size=200), other=st.binary(max_size=200))
def test_what_was_signed_holds_and_nothing_else(name: str, body: bytes, other: bytes) -> None:
    """A signature holds for its body and its secret; the digest tells bodies apart."""
    signature, secret, wrong = SCHEMES[name], new_secret(), new_secret()
    headers = sign(signature, secret, body, id="msg_1", seconds=NOW)
    found = held(signature, secret, body, headers, NOW)
    assert (found.signed_at is None) == (name == "github")
    with pytest.raises(SignatureRefused):
        held(signature, wrong, body, headers, NOW)
    if other != body:
        with pytest.raises(SignatureRefused):
            held(signature, secret, other, headers, NOW)
        again = sign(signature, secret, other, id="msg_1", seconds=NOW)
        assert held(signature, secret, other, again, NOW).digest != found.digest


_LIKELY = st.text(alphabet=string.hexdigits + "tv1,= .+/\x00é", max_size=80)


@pytest.mark.parametrize("name", sorted(SCHEMES))
@given(values=st.lists(_LIKELY | st.text(max_size=80), min_size=3, max_size=3), twice=st.booleans())
def test_hostile_headers_are_no_signature(name: str, values: list[str], twice: bool) -> None:
    """Whatever the headers say: refused, and no other exception."""
    names = sign(SCHEMES[name], SECRET, b"", id="m", seconds=NOW)
    pairs = [(header, value) for header, value in zip(names, values, strict=False)] * (2 if twice else 1)
    with pytest.raises(SignatureRefused):
        verify(Webhook(signatures=[SCHEMES[name]]), Headers(pairs), b"{}", [SECRET], NOW * 1_000)


@given(st.text(max_size=300))
def test_the_readers_of_headers_take_any_text(text: str) -> None:
    assert all(isinstance(raw, bytes) for raw in standard_signatures(text))
    time, found = timestamped_parts(text, "t", "v1")
    assert (time is None or isinstance(time, str)) and all(isinstance(raw, bytes) for raw in found)
    for encoding in ("hex", "base64"):
        assert len(prefixed_signature(text, "", encoding)) <= 1  # type: ignore[arg-type]


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=5), st.integers(0, 10**11))
def test_several_signatures_are_read_in_order(raws: list[bytes], seconds: int) -> None:
    """As they are written; entries of other versions between them change nothing."""
    text = f"t={seconds},v0=00," + ",".join(f"v1={raw.hex()}" for raw in raws)
    assert timestamped_parts(text, "t", "v1") == (str(seconds), raws)


def test_one_timestamp_and_one_header() -> None:
    """Two that contradict each other are none: which of them was checked would be anybody's guess."""
    headers = sign(STRIPE, SECRET, b"{}", id="m", seconds=NOW)
    text = headers["Stripe-Signature"]
    with pytest.raises(SignatureRefused) as refused:
        held(STRIPE, SECRET, b"{}", {"Stripe-Signature": f"t=1,{text}"}, NOW)
    assert refused.value.rule == "headers"
    with pytest.raises(SignatureRefused):
        pairs = [*headers.items(), *headers.items()]
        verify(Webhook(signatures=[STRIPE]), Headers(pairs), b"{}", [SECRET], NOW * 1_000)
    for time in ("+1614265330", "1614265330.0", "١٦١٤٢٦٥٣٣٠", "-1", "", "9" * 30):
        with pytest.raises(SignatureRefused):
            held(STRIPE, SECRET, b"{}", {"Stripe-Signature": text.replace(str(NOW), time)}, NOW)


@pytest.mark.parametrize("name", ["standard", "stripe", "slack"])
@pytest.mark.parametrize(
    ("apart", "rule"), [(300, None), (300.001, "timestamp"), (-300, None), (-300.001, "timestamp")]
)
def test_the_edges_of_the_tolerance(name: str, apart: float, rule: str | None) -> None:
    headers = sign(SCHEMES[name], SECRET, b"{}", id="m", seconds=NOW)
    if rule is None:
        held(SCHEMES[name], SECRET, b"{}", headers, NOW + apart)
        return
    with pytest.raises(SignatureRefused) as refused:
        held(SCHEMES[name], SECRET, b"{}", headers, NOW + apart)
    assert refused.value.rule == rule


def test_any_of_several_schemes_and_secrets() -> None:
    webhook = Webhook(signatures=[STANDARD, GITHUB])
    old, new = new_secret(), new_secret()
    for signature in webhook.signatures:
        for secret in (old, new):
            headers = Headers(sign(signature, secret, b"{}", id="m", seconds=NOW).items())
            assert verify(webhook, headers, b"{}", [new, old], NOW * 1_000).scheme == signature.scheme
    with pytest.raises(SignatureRefused) as refused:
        verify(webhook, Headers([]), b"{}", [new], NOW * 1_000)
    assert refused.value.rule == "headers"
    with pytest.raises(SignatureRefused):
        verify(webhook, Headers(sign(GITHUB, new, b"{}", id="m", seconds=NOW).items()), b"{}", [], NOW * 1_000)


def test_secrets() -> None:
    """A secret of Standard Webhooks is base64 of 24 bytes or more; what other senders call one is a text."""
    standard, text = Webhook(signatures=[STANDARD]), Webhook(signatures=[GITHUB])
    assert key_of("standard", SECRET) == key_of("standard", SECRET.removeprefix("whsec_"))
    assert key_of("hmac", SECRET) == SECRET.encode()
    assert len(key_of("standard", new_secret()) or b"") == 32
    assert new_secret() != new_secret()
    assert secret_fault(standard, SECRET) is None and secret_fault(text, "x" * 16) is None
    assert "24 to 64 bytes" in str(secret_fault(standard, "x" * 16))
    assert "16 characters" in str(secret_fault(text, "x" * 15))
    assert json.dumps(secret_fault(standard, "not a secret")) and "not a secret" not in str(
        secret_fault(standard, "not a secret")
    )
