"""Rows and item numbers, as ranges, against the plain list that they stand for."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.ui.upload.id_ranges import IdRanges, Range

Steps = list[tuple[int, int]]
"""Gap before a range and how many numbers it has; a gap of 0 joins it to the one before."""

steps = st.lists(st.tuples(st.integers(0, 4), st.integers(1, 6)), max_size=12)


def _ranges_of(steps: Steps) -> list[Range]:
    ranges: list[Range] = []
    at = 1
    for gap, count in steps:
        ranges.append((at + gap, at + gap + count - 1))
        at += gap + count
    return ranges


def _numbers(ranges: list[Range]) -> list[int]:
    return [number for first, last in ranges for number in range(first, last + 1)]


@given(steps, st.integers(0, 12))
def test_rows_and_numbers_are_those_of_the_list(steps: Steps, appended_from: int) -> None:
    ranges = _ranges_of(steps)
    model = IdRanges(ranges[:appended_from])
    added = model.append(ranges[appended_from:])
    numbers = _numbers(ranges)

    assert added == len(_numbers(ranges[appended_from:]))
    assert model.count == len(numbers)
    assert model.last == max(numbers, default=0)
    assert [model.id_at(row) for row in range(model.count)] == numbers
    rows = {number: row for row, number in enumerate(numbers)}
    for number in range(model.last + 3):
        assert model.row_of(number) == rows.get(number)


@given(steps, st.integers(-3, 80), st.integers(-3, 80))
def test_the_numbers_of_a_span_of_rows_are_those_of_the_list(
    steps: Steps, first_row: int, last_row: int
) -> None:
    ranges = _ranges_of(steps)
    numbers = _numbers(ranges)

    found = IdRanges(ranges).ids_of_rows(first_row, last_row)

    assert _numbers(found) == numbers[max(first_row, 0) : max(last_row + 1, 0)]


@given(steps, st.integers(0, 80), st.integers(0, 80))
def test_rows_within_numbers_are_the_first_and_last_of_them(
    steps: Steps, first: int, last: int
) -> None:
    ranges = _ranges_of(steps)
    rows = [row for row, number in enumerate(_numbers(ranges)) if first <= number <= last]

    found = IdRanges(ranges).rows_within(first, last)

    assert found == ((rows[0], rows[-1]) if rows else None)


@given(steps)
def test_neighbours_become_one_range(steps: Steps) -> None:
    """What makes a million rows a few numbers."""
    model = IdRanges(_ranges_of(steps))

    spans = model.ids_of_rows(0, model.count - 1)

    assert all(before[1] + 1 < after[0] for before, after in pairwise(spans))
