"""The limits of the web app with a large album."""

import pytest

from bench.page import LIMITS, Limit, table

_AT_THE_LIMITS = {limit.name: limit.most for limit in LIMITS} | {"slowestCall": 2_500.0}


def test_results_at_the_limits_meet_them() -> None:
    text, is_met = table(_AT_THE_LIMITS)
    assert is_met
    assert "missed" not in text
    assert "| first thumbnail after opening | 1,500 ms | 1,500 ms | met |" in text


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)
def test_result_beyond_a_limit_is_marked(limit: Limit) -> None:
    text, is_met = table(_AT_THE_LIMITS | {limit.name: limit.most * 1.1})
    assert not is_met
    assert text.count("**missed**") == 1
