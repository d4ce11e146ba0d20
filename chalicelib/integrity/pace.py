"""How fast the integrity check reads: below the capacity of the tables, and until a deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

from chalicelib.clients import as_album_error
from chalicelib.errors import Throttled

_ATTEMPTS = 10  # about three minutes
_LONGEST_PAUSE = 30.0  # seconds

T = TypeVar("T")


class TimeIsUp(Exception):
    """The check has to stop here. It passes within this package only."""


class Pace:
    """Reads of one table, at `rate` units per second at most; None means as fast as they come.

    `deadline` is a time of `clock`, which is in seconds.
    """

    def __init__(
        self,
        rate: float | None,
        deadline: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.rate = rate
        self._deadline = deadline
        self._clock = clock
        self._sleep = sleep
        self._free_at = clock()  # Everything that was read before has been waited for by then.

    def read(self, call: Callable[[], T], units: Callable[[T], float]) -> T:
        """Read when it is time to, and again while DynamoDB throttles; return the result.

        `units` returns what a result has consumed. Raises TimeIsUp, and DynamoDB's other errors.
        """
        attempt = 0
        while True:
            attempt += 1
            self._wait_until(self._free_at)
            began = self._clock()
            try:
                result = call()
            except Exception as error:
                if attempt == _ATTEMPTS or not isinstance(as_album_error(error), Throttled):
                    raise
                self._free_at = self._clock() + min(2.0 ** (attempt - 1), _LONGEST_PAUSE)
                continue
            if self.rate is not None:
                self._free_at = began + units(result) / self.rate
            return result

    def check_time(self) -> None:
        """Raise TimeIsUp after the deadline."""
        self._wait_until(self._clock())

    def _wait_until(self, moment: float) -> None:
        now = self._clock()
        if self._deadline is not None and max(now, moment) > self._deadline:
            raise TimeIsUp
        if moment > now:
            self._sleep(moment - now)
