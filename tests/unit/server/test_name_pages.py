"""Pages of names out of many, with few in memory."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from embedded_server.storage.name_pages import page_of


@pytest.mark.parametrize("order", ["sorted", "reversed", "mixed"])
@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 100, 1_000])
def test_every_page_is_the_one_of_the_whole_list(count: int, order: str) -> None:
    chance = random.Random(count)
    names = sorted({f"{chance.randrange(10 * count)}-\u1ea3" for _ in range(count)})
    lying = {"sorted": names, "reversed": names[::-1]}.get(order) or chance.sample(
        names, len(names)
    )
    for limit in (0, 1, 3, 7, 40):
        for offset in range(0, len(names) + 10, 7):
            found = page_of(lambda: iter(lying), offset, limit, held=10)
            assert found == (len(names), names[offset : offset + limit]), (offset, limit)


def test_no_more_names_are_held_than_told() -> None:
    """Counted by the names that are alive, not by what a system makes of its memory."""
    alive = most = 0

    class Name(str):
        def __new__(cls, text: str) -> Name:
            nonlocal alive, most
            alive += 1
            most = max(most, alive)
            return super().__new__(cls, text)

        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def names() -> Iterator[str]:
        return (Name(f"{number * 7_919 % 100_003:06}") for number in range(100_003))

    for offset in (0, 900, 50_000, 100_000):
        total, page = page_of(names, offset, 10, held=1_000)
        assert (total, [int(it) for it in page]) == (
            100_003,
            list(range(offset, min(offset + 10, 100_003))),
        )
        del page
    assert most < 4_000


def test_what_goes_meanwhile_ends_a_page_and_not_the_search() -> None:
    names = [f"{number:04}" for number in range(1_000)]
    rounds = 0

    def fewer() -> Iterator[str]:
        nonlocal rounds
        rounds += 1
        return iter(names[: 1_000 // rounds])

    total, page = page_of(fewer, 900, 5, held=20)
    assert (total, page) == (1_000, [])
