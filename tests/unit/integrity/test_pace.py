"""How fast the integrity check reads: at half of a table's capacity, and until its deadline.

The tables of the emulators never throttle, and consume no more than one unit for a page.
"""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.integrity.check import Capacity
from chalicelib.integrity.pace import Pace, TimeIsUp
from chalicelib.integrity.tables import Tables
from tests.support.aws_calls import aws_error

THROTTLED = aws_error("ProvisionedThroughputExceededException", "Query")


class Clock:
    """A clock that only moves when somebody sleeps or works."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


class FakeTable:
    """A DynamoDB client of one table of photos of 1 kB, which counts what it is asked for."""

    def __init__(self, clock: Clock, items: int, seconds: float = 0.01) -> None:
        self.reads: list[tuple[float, float]] = []  # time and units of each page
        self.limits: list[int | None] = []
        self.throttled: Iterator[bool] = itertools.repeat(False)
        self._clock, self._seconds = clock, seconds
        self._items = [{"user_id": {"S": "sub"}, "id": {"S": f"{n:08}"}} for n in range(items)]

    def query(self, **request: Any) -> dict[str, Any]:
        assert request["ReturnConsumedCapacity"] == "TOTAL"
        self._clock.now += self._seconds
        if next(self.throttled):
            raise THROTTLED
        start = int(request.get("ExclusiveStartKey", {"id": {"S": "-1"}})["id"]["S"]) + 1
        page = self._items[start : start + request.get("Limit", 1000)]
        units = len(page) / (4 if request.get("ConsistentRead") else 8)
        self.reads.append((self._clock.now - self._seconds, units))
        self.limits.append(request.get("Limit"))
        more = {"LastEvaluatedKey": page[-1]} if start + len(page) < len(self._items) else {}
        return {"Items": page, "ConsumedCapacity": {"CapacityUnits": units}, **more}

    scan = query


def tables(table: FakeTable, make_pace: Callable[[], Pace]) -> Tables:
    return Tables(table, ("Photo", "User"), make_pace)


def most_units_per_second(reads: list[tuple[float, float]]) -> float:
    """Return the highest rate between the starts of any two pages."""
    pairs = itertools.combinations(range(len(reads)), 2)
    return max(
        sum(units for _, units in reads[first:last]) / (reads[last][0] - reads[first][0])
        for first, last in pairs
    )


@pytest.mark.parametrize("consistent", [False, True])
@pytest.mark.parametrize("rate", [0.5, 5.0, 37.5])
def test_pages_never_consume_more_units_per_second_than_the_rate(
    clock: Clock, rate: float, consistent: bool
) -> None:
    table = FakeTable(clock, items=int(rate * 60))
    reader = tables(table, lambda: Pace(rate, clock=clock, sleep=clock.sleep))
    assert len(list(reader.photos("sub", consistent=consistent))) == int(rate * 60)
    assert most_units_per_second(table.reads) <= rate * 1.000001
    # No page takes more than about a second of what the check may consume.
    assert max(units for _, units in table.reads) <= max(rate, 0.5)


def test_users_and_owners_are_read_at_the_same_pace(clock: Clock) -> None:
    table = FakeTable(clock, items=200)
    for item in table._items:
        item["sub"] = item["id"]
    reader = tables(table, lambda: Pace(5, clock=clock, sleep=clock.sleep))
    assert len(list(reader.user_ids())) == len(list(reader.owners(0, 1))) == 200
    users, owners = table.reads[:10], table.reads[10:]
    assert most_units_per_second(users) <= 5
    assert most_units_per_second(owners) <= 5


def test_pace_continues_from_one_user_to_the_next(clock: Clock) -> None:
    table = FakeTable(clock, items=20)
    reader = tables(table, lambda: Pace(5, clock=clock, sleep=clock.sleep))
    for _ in range(20):
        assert len(list(reader.photos("sub"))) == 20
    assert most_units_per_second(table.reads) <= 5


def test_single_items_are_read_at_the_same_pace(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[tuple[float, float]] = []

    def find(*_: str) -> None:
        reads.append((clock.now, 1.0))

    monkeypatch.setattr("chalicelib.integrity.tables.Photo.find", find)
    monkeypatch.setattr("chalicelib.integrity.tables.User.find", find)
    reader = tables(FakeTable(clock, 0), lambda: Pace(5, clock=clock, sleep=clock.sleep))
    for _ in range(20):
        reader.photo("sub", "id")
    assert most_units_per_second(reads) <= 5
    reads.clear()
    for _ in range(20):
        reader.user("sub")
    assert most_units_per_second(reads) <= 5


def test_on_demand_tables_are_read_without_pauses_in_pages_of_any_size(clock: Clock) -> None:
    table = FakeTable(clock, items=3000)
    reader = tables(table, lambda: Pace(None, clock=clock, sleep=clock.sleep))
    assert len(list(reader.photos("sub"))) == 3000
    assert table.limits == [None] * 3
    assert clock.now == pytest.approx(1000.03)


def test_check_takes_half_of_the_provisioned_capacity() -> None:
    def rate(units: int) -> float | None:
        return Capacity(None, "Photo", "User", units).tables(None)._photo_pace.rate

    assert (rate(10), rate(1), rate(0)) == (5, 0.5, None)


@pytest.mark.parametrize("rate", [5.0, None])
def test_throttled_page_is_read_again_after_longer_and_longer_pauses(
    clock: Clock, rate: float | None
) -> None:
    table = FakeTable(clock, items=20, seconds=0)
    table.throttled = itertools.chain([True] * 7, itertools.repeat(False))
    reader = tables(table, lambda: Pace(rate, clock=clock, sleep=clock.sleep))
    assert len(list(reader.photos("sub"))) == 20
    assert clock.now == 1000 + 1 + 2 + 4 + 8 + 16 + 30 + 30


def test_error_is_raised_if_a_table_throttles_for_minutes(clock: Clock) -> None:
    table = FakeTable(clock, items=20)
    table.throttled = itertools.repeat(True)
    reader = tables(table, lambda: Pace(5, clock=clock, sleep=clock.sleep))
    with pytest.raises(ClientError, match="ProvisionedThroughputExceeded"):
        list(reader.photos("sub"))
    assert clock.now > 1000 + 120


def test_other_errors_are_raised_immediately(clock: Clock) -> None:
    def fail() -> None:
        raise aws_error("AccessDeniedException", "Query")

    with pytest.raises(ClientError, match="AccessDenied"):
        Pace(5, clock=clock, sleep=clock.sleep).read(fail, lambda _: 0)
    assert clock.now == 1000


def test_reading_ends_at_the_deadline_and_not_after_a_pause_beyond_it(clock: Clock) -> None:
    table = FakeTable(clock, items=1000)
    reader = tables(table, lambda: Pace(5, 1010, clock=clock, sleep=clock.sleep))
    photos = reader.photos("sub")
    with pytest.raises(TimeIsUp):
        list(photos)
    assert 1009 < clock.now < 1010.1
    clock.now = 1010
    reader.check_time()
    clock.now = 1010.5
    with pytest.raises(TimeIsUp):
        reader.check_time()


def test_nothing_is_read_where_only_used_keys_are(clock: Clock) -> None:
    table = FakeTable(clock, items=1)
    reader = tables(table, lambda: Pace(None, clock=clock, sleep=clock.sleep))
    assert list(reader.photos("sub", first="none")) == []
    assert table.reads == []
