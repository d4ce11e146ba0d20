"""One line of JSON for each request, for the operator.

A line names people by their `sub` alone. Error texts are left out, since AWS and Python repeat
their input in them: an address, a key, a file name.
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
    """Log the request that the block serves; the block may add fields, at least the status.

    `route` is a method and the pattern of a path, never the path itself. The authorizer's line and
    the API's line of the same request have the same `trace`.
    """
    line: dict[str, Any] = {"route": route}
    trace = os.environ.get("_X_AMZN_TRACE_ID")  # Lambda sets it before each call.
    if trace:
        line["trace"] = trace.split(";")[0].removeprefix("Root=")
    began, calls = time.perf_counter(), Counter[str]()
    token = _aws_calls.set(calls)
    try:
        yield line
    except BaseException as error:
        line["error"] = describe_error(error)
        raise
    finally:
        _aws_calls.reset(token)
        line["ms"] = round((time.perf_counter() - began) * 1000, 1)
        line["aws"] = dict(calls)
        level = "ERROR" if "error" in line else "INFO"
        write_line(level, **line)


def write_line(level: str, **line: Any) -> None:
    """Log one line."""
    # A single call, so that the threads of a local server do not mix their lines.
    sys.stdout.write(json.dumps({"level": level, **line}) + "\n")
    sys.stdout.flush()


def count_aws_calls() -> None:
    """Count the calls of every botocore session created from now on, including PynamoDB's.

    Safe to repeat.
    """
    from botocore.handlers import BUILTIN_HANDLERS

    handler = ("before-call", _count_call)
    if handler not in BUILTIN_HANDLERS:
        BUILTIN_HANDLERS.append(handler)


def _count_call(model: Any, **_: Any) -> None:
    calls = _aws_calls.get()
    if calls is not None:
        calls[f"{model.service_model.service_name}.{model.name}"] += 1


def describe_error(error: BaseException) -> list[str]:
    """Return the types and places of an error and its causes, first cause first, without texts."""
    chain: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in chain:
        chain.insert(0, one)
        one = one.__cause__ or one.__context__
    return [line for one in chain for line in _type_and_places(one)]


def _type_and_places(error: BaseException) -> list[str]:
    name = type(error).__qualname__
    if isinstance(error, ConfigurationError):  # Its text is ours, and names a parameter.
        name += f": {error}"
    response = getattr(error, "response", None)  # of botocore's ClientError
    if isinstance(response, dict) and "Error" in response:
        name += f": {response['Error'].get('Code')} in {getattr(error, 'operation_name', '?')}"
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if frame.filename.startswith(_ROOT)]
    last = frames[-1:] if frames and frames[-1:] != ours[-1:] else []
    places = [f"{Path(one.filename).name}:{one.lineno} {one.name}" for one in (*ours, *last)]
    return [name, *(f"  at {place}" for place in places)]
