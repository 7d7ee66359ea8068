"""verify: what LiveKit signed passes, and nothing else does."""

import base64
import json
import string
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.livekit.signature import LEEWAY, LIFETIME, TOKEN_BYTES, Forged, Forgery, sign, verify
from tests.samples import KEY, SECRET, WEBHOOKS, Sample
from tests.samples.signing import base64url, claims_for, encode, signed, token, token_of

BODY = b'{"event":"room_started"}'
NOW = 1_800_000_000.0
KEYS = {KEY: SECRET}
HEADER = encode({"alg": "HS256", "typ": "JWT"})


def reason(authorization: str | None, body: bytes = BODY, now: float = NOW) -> Forgery | None:
    """Why verify refuses; None when it does not."""
    try:
        verify(body, authorization, KEYS, now)
    except Forged as error:
        return error.reason
    return None


def claims(**changes: Any) -> dict[str, Any]:
    return claims_for(BODY, NOW) | changes


def without(claim: str) -> dict[str, Any]:
    return {name: value for name, value in claims_for(BODY, NOW).items() if name != claim}


@pytest.mark.parametrize("sample", WEBHOOKS, ids=str)
def test_a_recorded_webhook_passes_when_it_is_received(sample: Sample) -> None:
    verify(sample.body, sample.token, KEYS, sample.received)


@pytest.mark.parametrize("sample", WEBHOOKS, ids=str)
def test_a_recorded_webhook_is_worth_nothing_ten_minutes_later(sample: Sample) -> None:
    assert reason(sample.token, sample.body, sample.received + 600) is Forgery.EXPIRED


@pytest.mark.parametrize("sample", WEBHOOKS, ids=str)
def test_a_recorded_token_covers_no_other_body(sample: Sample) -> None:
    for other in WEBHOOKS:
        if other is not sample:
            assert reason(sample.token, other.body, sample.received) is Forgery.BODY


def test_what_we_sign_ourselves_is_taken_and_says_by_which_key() -> None:
    keys = {"APIother": "x" * 32, "APIown": "o" * 32}
    ours = sign(BODY, "APIown", keys["APIown"], NOW)
    assert verify(BODY, ours, keys, NOW) == "APIown"
    read = jwt.decode(ours, keys["APIown"], algorithms=["HS256"], options={"verify_nbf": False, "verify_exp": False})
    assert read["exp"] == NOW + LIFETIME
    with pytest.raises(Forged, match="body"):
        verify(BODY + b" ", ours, keys, NOW)


def test_the_secret_is_chosen_by_the_key_that_signed() -> None:
    """Two pairs at once: how keys are rotated without losing a webhook."""
    keys = {"APIold": "o" * 32, "APInew": "n" * 32}
    for key, secret in keys.items():
        verify(BODY, signed(BODY, NOW, key, secret), keys, NOW)
    with pytest.raises(Forged, match="signature"):
        verify(BODY, signed(BODY, NOW, "APIold", keys["APInew"]), keys, NOW)


def test_bearer_before_the_token_is_accepted_in_any_case() -> None:
    for scheme in ("Bearer ", "bearer ", "BEARER "):
        assert reason(scheme + signed(BODY, NOW)) is None


@pytest.mark.parametrize("nothing", [None, ""])
def test_a_missing_token_is_refused(nothing: str | None) -> None:
    assert reason(nothing) is Forgery.MISSING


@pytest.mark.parametrize("alg", ["none", "None", "", "hs256", "HS384", "HS512", "RS256", "ES256", "EdDSA"])
def test_no_other_algorithm_is_accepted(alg: str) -> None:
    assert reason(token(claims(), alg=alg)) is Forgery.ALGORITHM


def test_an_unsigned_token_is_refused() -> None:
    assert reason(f"{encode({'alg': 'none'})}.{encode(claims())}.") is Forgery.ALGORITHM
    assert reason(f"{HEADER}.{encode(claims())}.") is Forgery.SIGNATURE


def test_a_header_that_demands_an_extension_is_refused() -> None:
    for crit in (["exp"], [], None):
        assert reason(token(claims(), crit=crit)) is Forgery.MALFORMED


def test_a_wrong_secret_is_refused() -> None:
    assert reason(token(claims(), secret="another" * 6)) is Forgery.SIGNATURE
    assert reason(token(claims(), secret="")) is Forgery.SIGNATURE


def test_a_foreign_key_is_refused() -> None:
    assert reason(token(claims(iss="APIforeign"))) is Forgery.UNKNOWN_KEY
    assert reason(token(claims(iss=""))) is Forgery.UNKNOWN_KEY


def test_a_key_without_a_secret_opens_nothing() -> None:
    """Else anybody could sign for it."""
    with pytest.raises(Forged, match="unknown_key"):
        verify(BODY, signed(BODY, NOW, KEY, ""), {KEY: ""}, NOW)


@pytest.mark.parametrize("changed", [b"", BODY + b" ", BODY[:-1], BODY.replace(b"started", b"stopped")])
def test_a_changed_body_is_refused(changed: bytes) -> None:
    assert reason(signed(BODY, NOW), changed) is Forgery.BODY


@pytest.mark.parametrize("claim", ["iss", "exp", "nbf", "sha256"])
def test_every_claim_that_decides_is_required(claim: str) -> None:
    assert reason(token(without(claim))) is Forgery.MALFORMED
    assert reason(token(claims(**{claim: None}))) is Forgery.MALFORMED


def test_the_body_hash_has_one_spelling() -> None:
    """Standard base64 of 32 bytes, with its padding and without stray bits."""
    body = next(b for b in (str(n).encode() for n in range(1000)) if set(claims_for(b, NOW)["sha256"]) >= {"+", "/"})
    digest: str = claims_for(body, NOW)["sha256"]
    raw = base64.b64decode(digest)
    stray = digest[:-2] + chr(ord(digest[-2]) + 1) + "="
    assert base64.b64decode(stray) == raw, "the last letter's low bits mean nothing"
    others = [
        base64.urlsafe_b64encode(raw).decode(),
        digest.rstrip("="),
        digest + "=",
        digest + "\n",
        " " + digest,
        stray,
        raw.hex(),
        base64.b64encode(raw + b"\0").decode(),
        base64.b64encode(raw[:31]).decode(),
        "",
        "ü" * 44,
    ]
    assert reason(token(claims_for(body, NOW)), body) is None
    for other in others:
        assert reason(token(claims_for(body, NOW) | {"sha256": other}), body) is Forgery.BODY, other


def test_a_token_has_one_spelling() -> None:
    """Signed as they are, so that nothing but the spelling is wrong with them."""
    payload = encode(claims())
    for header, body_part in [
        (HEADER + "=", payload),
        (HEADER, payload + "="),
        (HEADER, payload + "=="),
        (HEADER, payload + "\n"),
        (HEADER, payload[:8] + "!" + payload[8:]),
        (HEADER, payload + "." + payload),
        ("", payload),
        (HEADER, ""),
        (HEADER, payload[:-1]),
    ]:
        assert reason(token_of(header, body_part)) is Forgery.MALFORMED, (header, body_part)


def test_the_standard_alphabet_is_none_for_a_token() -> None:
    urlsafe = base64url(json.dumps(claims(note="???>>>"), ensure_ascii=False).encode())
    assert set("-_") & set(urlsafe), "the sample must hold a letter that differs"
    assert reason(token_of(HEADER, urlsafe)) is None
    assert reason(token_of(HEADER, urlsafe.translate(str.maketrans("-_", "+/")))) is Forgery.MALFORMED


def test_stray_bits_in_a_part_are_refused() -> None:
    """The low bits of the last letter decode to nothing: two spellings of one token, if they were let pass."""
    padded = next(p for p in (encode(claims(pad="x" * n)) for n in range(3)) if len(p) % 4 == 2)
    alphabet = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
    stray = padded[:-1] + alphabet[alphabet.index(padded[-1]) + 1]
    assert reason(token_of(HEADER, padded)) is None
    assert reason(token_of(HEADER, stray)) is Forgery.MALFORMED


def test_a_signature_has_one_spelling() -> None:
    genuine = signed(BODY, NOW)
    alphabet = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
    stray = genuine[:-1] + alphabet[alphabet.index(genuine[-1]) + 1]
    for other in (genuine + "=", stray, genuine + "A", genuine[:-1], genuine + "."):
        assert reason(other) in (Forgery.SIGNATURE, Forgery.MALFORMED), other


def test_a_token_cut_off_anywhere_is_refused() -> None:
    genuine = signed(BODY, NOW)
    for length in range(len(genuine)):
        assert reason(genuine[:length]) is not None, length
        assert reason(genuine[length + 1 :]) is not None, length


def test_a_token_with_any_letter_changed_is_refused() -> None:
    genuine = signed(BODY, NOW)
    for at, letter in enumerate(genuine):
        assert reason(genuine[:at] + ("A" if letter != "A" else "B") + genuine[at + 1 :]) is not None, at


@pytest.mark.parametrize("huge", ["A" * (TOKEN_BYTES + 1), "." * 1_000_000, "Bearer " + "e" * 100_000])
def test_a_huge_token_is_not_even_read(huge: str) -> None:
    assert reason(huge) is Forgery.MALFORMED


@pytest.mark.parametrize("text", ["ü.ü.ü", "\udcff.a.b", "\uff1d", "a.b.c\u2028", signed(BODY, NOW) + "é"])
def test_letters_outside_ascii_are_refused(text: str) -> None:
    assert reason(text) is Forgery.MALFORMED


@pytest.mark.parametrize("value", [True, False, "1800000000", [], {}, None, float("nan"), float("inf")])
@pytest.mark.parametrize("claim", ["exp", "nbf"])
def test_times_are_numbers(claim: str, value: object) -> None:
    assert reason(token(claims(**{claim: value}))) is Forgery.MALFORMED


@pytest.mark.parametrize("spelled", ["1e999", "-1e999", "9" * 2000])
def test_times_beyond_all_numbers_are_refused(spelled: str) -> None:
    payload = json.dumps(claims()).replace(str(claims()["exp"]), spelled)
    assert reason(token_of(HEADER, base64url(payload.encode()))) is not None


def test_a_token_that_is_valid_for_longer_than_livekit_makes_them_is_refused() -> None:
    assert reason(token(claims(exp=NOW + LIFETIME))) is None
    for seconds in (LIFETIME + 1, 600, 10 * 365 * 86_400):
        assert reason(token(claims(exp=NOW + seconds))) is Forgery.LIFETIME


def test_a_token_that_ends_before_it_begins_is_refused() -> None:
    assert reason(token(claims(exp=NOW - 1, nbf=NOW))) is Forgery.LIFETIME


def test_clocks_may_differ_by_the_leeway_and_no_more() -> None:
    genuine = token(claims(exp=NOW + 300, nbf=NOW))
    assert reason(genuine, now=NOW - LEEWAY) is None
    assert reason(genuine, now=NOW - LEEWAY - 0.001) is Forgery.EARLY
    assert reason(genuine, now=NOW + 300 + LEEWAY - 0.001) is None
    assert reason(genuine, now=NOW + 300 + LEEWAY) is Forgery.EXPIRED


def test_lifetime_and_leeway_can_be_set() -> None:
    verify(BODY, token(claims(exp=NOW + 900)), KEYS, NOW, lifetime=900)
    with pytest.raises(Forged, match="early"):
        verify(BODY, signed(BODY, NOW), KEYS, NOW - 1, leeway=0)


@pytest.mark.parametrize("part", [b"[]", b"null", b"1", b'"HS256"', b"{", b"{}", b"\xff\xfe", b'{"alg":1}', b"[" * 2500])
def test_parts_that_are_no_such_object_are_refused(part: bytes) -> None:
    assert reason(token_of(base64url(part), encode(claims()))) is Forgery.MALFORMED
    assert reason(token_of(HEADER, base64url(part))) is Forgery.MALFORMED


@given(st.text() | st.from_regex(r"[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*"), st.binary())
def test_whatever_the_header_holds_is_forged_and_nothing_worse(authorization: str, body: bytes) -> None:
    assert reason(authorization, body) is not None


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_whatever_the_parts_decode_to_is_forged_and_nothing_worse(header: bytes, payload: bytes) -> None:
    assert reason(token_of(base64url(header), base64url(payload))) is not None


@given(st.dictionaries(st.sampled_from(["iss", "exp", "nbf", "sha256"]), st.none() | st.booleans() | st.floats() | st.text()))
def test_whatever_the_claims_say_they_cover_no_body_that_they_do_not_hash(changes: dict[str, Any]) -> None:
    assert reason(token(claims(**changes)), BODY + b" ") is not None
