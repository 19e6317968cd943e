"""Names and paths put together by chance, each through a way of chance: at least 5,000 a change.

The judge is not the server's code: `portable` says what is to be refused, the disk says what was
done. Counts: 5,000 per change, 200,000 per release.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.support.counts import count, seeds
from tests.support.hostile_house import HostileHouse
from tests.support.hostile_names import NAMES, NAMES_WITH_SLASHES, PATHS
from tests.support.portable import is_portable_name, is_portable_path, text_of
from tests.support.ways_in import BY_NAME, BY_PATH, FILTERS, IN_JSON, OF_WHAT_IS_THERE, raw

pytestmark = pytest.mark.soak

_ROUNDS = 5
_EACH = count(1_000, 40_000)

_KNOWN = st.sampled_from([it.sent for it in (*NAMES, *NAMES_WITH_SLASHES)])
_PIECES = st.sampled_from(
    [
        *(
            "..",
            ".",
            "",
            " ",
            "a",
            "b",
            "%2e",
            "%2e%2e",
            "%2f",
            "%5c",
            "%00",
            "%22",
            "\\",
            ":",
            "*",
        ),
        *("NUL", "con", "COM1", ".txt", "\x00", "\n", "\r", "\t", "\x7f", "\x85", "\u2028"),
        *(
            "\u202e",
            "\u200f",
            "\ufeff",
            "\u200b",
            "\ud800",
            "\udfff",
            "é",
            "e\u0301",
            "K",
            "ế",
            "😀",
        ),
        *(
            "evil",
            "passwd",
            "h",
            "files",
            ".lakedrop",
            "catalog.db",
            "C:",
            "\\\\?\\",
            "$",
            '"',
            "'",
        ),
        *("|", "<", ">", "?", ";", "=", ",", "~", "a" * 120, "ế" * 45, "…", "／", "．"),
    ]
)
_GLUED = st.lists(_PIECES, max_size=5).map("".join)
_ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=12)  # with half characters
_TEXTS = st.one_of(_GLUED, _ANY_TEXT, _KNOWN.filter(lambda it: isinstance(it, str)))
_BYTES = st.one_of(
    st.binary(max_size=12),
    st.tuples(_GLUED, st.binary(max_size=3), _GLUED).map(
        lambda it: raw(it[0]) + it[1] + raw(it[2])
    ),
)
_NAMES = st.one_of(_TEXTS, _TEXTS, _TEXTS, _BYTES)
_TAILS = st.lists(st.one_of(_PIECES, _GLUED, _ANY_TEXT), min_size=1, max_size=6).map("/".join)
_PATHS = st.one_of(
    _TAILS.map(lambda it: "/h/" + it),
    _TAILS.map(lambda it: "/h/" + it),
    _TAILS.map(lambda it: "/" + it),
    _TAILS,
    st.sampled_from([it.sent for it in PATHS]),
    _BYTES.map(lambda it: b"/h/" + it),
    st.integers(1, 600).map(lambda depth: "/h" + "/d" * depth),
    st.integers(1, 600).map(lambda depth: "/h" + "/.." * depth),
)
_WAYS = {**BY_NAME, **BY_PATH, **OF_WHAT_IS_THERE, **FILTERS}
_TRIES = st.one_of(
    st.tuples(st.sampled_from(sorted(BY_NAME)), _NAMES),
    st.tuples(st.sampled_from(sorted({**BY_PATH, **OF_WHAT_IS_THERE})), _PATHS),
    st.tuples(st.sampled_from(sorted({**BY_PATH, **OF_WHAT_IS_THERE})), _PATHS),
    st.tuples(st.sampled_from(sorted(FILTERS)), _NAMES),
)
_BELOW_THE_SYNC = ("upload's path", "batch's folder", "tus path", "tus path in the query")
_SETTINGS = settings(
    max_examples=_EACH,
    database=None,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


def _is_good(way: str, sent: str | bytes) -> bool:
    """Whether what arrives by this way is to be accepted, as far as its text goes."""
    text = sent if isinstance(sent, str) and way in IN_JSON else text_of(raw(sent))
    if text is None:
        return False
    if way in FILTERS:
        return len(text) <= 200
    if way in ("upload", "batch"):  # read as what a browser writes
        for written, meant in (("%22", '"'), ("%0d", "\r"), ("%0a", "\n")):
            text = text.replace(written, meant).replace(written.upper(), meant)
    if way in BY_NAME:
        return is_portable_name(text)
    if way in _BELOW_THE_SYNC and not (text + "/").startswith("/h/"):
        return False
    if way == "browse" and text == "/":
        return True
    return is_portable_path(text)


def _complaints(house: HostileHouse, way: str, sent: str | bytes) -> list[str]:
    said, complaints = house.try_way(_WAYS[way], sent)
    good = said.is_accepted or (said.status == 404 and way in OF_WHAT_IS_THERE)
    if way == "rename to" and raw(sent).startswith(b"/from/"):
        return complaints  # into itself: refused whatever the name
    if good != _is_good(way, sent):
        complaints.append(f"{said} for what is {'good' if not good else 'bad'}")
    if not good and said.status != 400:
        complaints.append(f"{said} and not 400")
    return complaints


@pytest.mark.parametrize("number", seeds(_ROUNDS, _ROUNDS))
def test_a_generated_name_changes_nothing_but_its_own_place(
    house: HostileHouse, number: int
) -> None:
    tried = 0

    @seed(number)
    @_SETTINGS
    @given(_TRIES)
    def one(attempt: tuple[str, str | bytes]) -> None:
        nonlocal tried
        tried += 1
        complaints = _complaints(house, *attempt)
        assert complaints == [], f"seed {number}: {attempt}"

    one()
    assert tried >= _EACH


def test_of_the_test_it_takes_all_ways() -> None:
    assert len(_WAYS) == 21
    assert _ROUNDS * _EACH >= 5_000
