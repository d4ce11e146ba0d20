"""What the album asks of AWS: counted for the log, and told to X-Ray when it traces a request.

X-Ray's daemon takes subsegments as datagrams (AWS X-Ray Developer Guide, "X-Ray segment documents"
and "Sending trace data to the X-Ray daemon"); the SDK would cost more than a cold start's rest.
"""

import contextlib
import json
import os
import secrets
import socket
import time
from typing import Any

from chalicelib.logs import count_aws_call

_BEGAN = "cloudalbum_began"


def observe_aws_calls() -> None:
    """Observe the calls of all clients whose botocore session is made from now on, PynamoDB's too.

    Safe to repeat.
    """
    from botocore.handlers import BUILTIN_HANDLERS

    for handler in (
        ("before-call", _began),
        ("after-call", _succeeded),
        ("after-call-error", _failed),
    ):
        if handler not in BUILTIN_HANDLERS:
            BUILTIN_HANDLERS.append(handler)


def _began(model: Any, context: dict[str, Any], **_: Any) -> None:
    service = model.service_model.service_name
    count_aws_call(f"{service}.{model.name}")
    context[_BEGAN] = (service, model.name, time.time())


def _succeeded(http_response: Any, context: dict[str, Any], **_: Any) -> None:
    _tell(context, http_response.status_code)


def _failed(context: dict[str, Any], **_: Any) -> None:
    _tell(context, None)


def _tell(context: dict[str, Any], status: int | None) -> None:
    """Send a subsegment for a call that has ended; `status` is None if there was no answer."""
    traced = dict(
        part.split("=", 1)
        for part in os.environ.get("_X_AMZN_TRACE_ID", "").split(";")
        if "=" in part
    )
    daemon = os.environ.get("AWS_XRAY_DAEMON_ADDRESS", "")
    if traced.get("Sampled") != "1" or not daemon or _BEGAN not in context:
        return
    service, operation, began = context[_BEGAN]
    subsegment = {
        "type": "subsegment",
        "name": service,
        "namespace": "aws",
        "id": secrets.token_hex(8),
        "trace_id": traced.get("Root"),
        "parent_id": traced.get("Parent"),
        "start_time": began,
        "end_time": time.time(),
        "aws": {"operation": operation},
        "fault": status is None or status >= 500,
        "throttle": status == 429,
        "error": status is not None and 400 <= status < 500,
        **({"http": {"response": {"status": status}}} if status else {}),
    }
    header = '{"format": "json", "version": 1}\n'
    host, _, port = daemon.rpartition(":")
    # A trace that is lost is no reason to lose a request.
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto((header + json.dumps(subsegment)).encode(), (host, int(port)))
