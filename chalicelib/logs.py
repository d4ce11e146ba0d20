"""One line of JSON a request, for whoever operates the album.

It names people by their `sub` alone. The texts of errors stay out, since AWS and Python repeat in
them what they were given: an address, a key, a file's name.
"""

import contextlib
import json
import os
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from chalicelib.errors import ConfigurationError

_ROOT = str(Path(__file__).parents[1])
_aws_calls: ContextVar[Counter[str] | None] = ContextVar("aws_calls", default=None)


@contextlib.contextmanager
def request_logged(route: str) -> Iterator[dict[str, Any]]:
    """Log what the block does for a request; it may add to the line, at least the status.

    `route` is a method and the pattern of a path, never the path itself. Lines of the authorizer
    and of the API that belong to the same request have the same `trace`.
    """
    line: dict[str, Any] = {"route": route}
    trace = os.environ.get("_X_AMZN_TRACE_ID")  # Lambda sets it before each call
    if trace:
        line["trace"] = trace.split(";")[0].removeprefix("Root=")
    began, calls = time.perf_counter(), Counter[str]()
    token = _aws_calls.set(calls)
    try:
        yield line
    except BaseException as error:
        line["error"] = cause(error)
        raise
    finally:
        _aws_calls.reset(token)
        line["ms"] = round((time.perf_counter() - began) * 1000, 1)
        line["aws"] = dict(calls)
        level = "ERROR" if "error" in line else "INFO"
        write_line(level, **line)


def write_line(level: str, **line: Any) -> None:
    """Log one line."""
    # In one call, so that threads of a local server do not mix their lines.
    sys.stdout.write(json.dumps({"level": level, **line}) + "\n")
    sys.stdout.flush()


def count_aws_call(name: str) -> None:
    """Note one call of AWS, such as `dynamodb.Query`, for the request that is being served."""
    calls = _aws_calls.get()
    if calls is not None:
        calls[name] += 1


def cause(error: BaseException) -> list[str]:
    """Return what has failed and where, from the first cause to the last, without its texts."""
    chain: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in chain:
        chain.insert(0, one)
        one = one.__cause__ or one.__context__
    return [line for one in chain for line in _described(one)]


def _described(error: BaseException) -> list[str]:
    name = type(error).__qualname__
    if isinstance(error, ConfigurationError):  # its text is ours, and names a parameter
        name += f": {error}"
    answer = getattr(error, "response", None)  # of botocore's ClientError
    if isinstance(answer, dict) and "Error" in answer:
        name += f": {answer['Error'].get('Code')} in {getattr(error, 'operation_name', '?')}"
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if frame.filename.startswith(_ROOT)]
    last = frames[-1:] if frames and frames[-1:] != ours[-1:] else []
    places = [f"{Path(one.filename).name}:{one.lineno} {one.name}" for one in (*ours, *last)]
    return [name, *(f"  at {place}" for place in places)]
