"""What explains that a file is not there any more: found by its path, as a plain walk finds it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from embedded_server.domain.known import ExpectedFile, Replacement, Replacements

_PATHS = ("/a", "/a/b", "/a/b/x.csv", "/a/bb", "/c")
REPLACEMENTS = st.lists(
    st.builds(Replacement, st.sampled_from(_PATHS), st.integers(0, 3), st.integers(0, 5)),
    max_size=12,
)
GONE = st.builds(
    ExpectedFile,
    st.sampled_from(["/a", "/a/b", "/a/bb", "/c", "/d", ""]),
    st.sampled_from(["x.csv", "b"]),
    st.sampled_from([-1, 1, 2, 3]),
    st.integers(0, 5),
)


def _explains(by: Replacement, gone: ExpectedFile) -> bool:
    place = f"{gone.folder}/{gone.file_name}"
    is_below = place == by.path or place.startswith(f"{by.path}/")
    return is_below and by.at_ms >= gone.at_ms and by.sync_id != gone.sync_id


@given(found=REPLACEMENTS, gone=GONE)
def test_a_replacement_explains_what_was_older_and_not_its_own(
    found: list[Replacement], gone: ExpectedFile
) -> None:
    expected = any(_explains(it, gone) for it in found)
    assert Replacements(iter(found)).explain(gone) == expected
