"""The tables of costs in docs/costs.md."""

import pytest

from bench.costs import CLASSES, DOCUMENT, TIERED, Album, alarms, with_tables
from infra.choices import AWS_DEFAULTS, CHOICES


def test_documented_costs_are_up_to_date() -> None:
    text = DOCUMENT.read_text("utf-8")
    assert with_tables(text) == text, "run `make costs`"
    assert f"| CloudWatch: {alarms()} alarms |" in text


@pytest.mark.parametrize("text", ["", "<!-- requests: written by `make costs` -->\n"])
def test_writing_costs_without_markers_fails(text: str) -> None:
    with pytest.raises(ValueError, match="markers of the table requests"):
        with_tables(text)


def test_default_budget_is_about_twice_what_100_000_photos_cost() -> None:
    cost = sum(Album(100_000).costs.values())
    assert 1.5 < float(AWS_DEFAULTS["BUDGET_USD"]) / cost < 3


def test_default_storage_class_is_the_cheapest() -> None:
    assert CHOICES["ORIGINALS_STORAGE_CLASS"] == TIERED.name
    assert min(CLASSES, key=Album(10_000).originals) == TIERED
