"""Measure a function's cold start in a new process: start Python, import, respond.

Lambda calls this init and the first invocation. What comes before, fetching and unpacking the
package, is not measured.
"""

import json
import subprocess
import sys
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MARK = "RESPONSE "
_SCRIPT = f"""
import json, sys, types
sys.path[:] = json.loads(sys.argv[1]) + [path for path in sys.path if "site-packages" not in path]
import importlib
module, _, name = sys.argv[2].partition(".")
handler = getattr(importlib.import_module(module), name)
context = types.SimpleNamespace(aws_request_id="cold", function_name="cold")
response = handler(json.loads(sys.argv[3]), context)
print("{_MARK}" + json.dumps(response), flush=True)  # after what the function itself logs
"""


@dataclass(frozen=True)
class Function:
    """A packaged function: its unpacked folder, its handler as Lambda names it, its environment."""

    folder: Path
    handler: str
    env: dict[str, str]
    needs_boto3: bool = False  # Lambda's runtime has it, so that a package does not need to.

    def first_call(self, event: dict[str, Any]) -> tuple[float, Any]:
        """Return the milliseconds until a new process has responded to an event, and the response.

        The response is None if the function fails.
        """
        libraries = [sysconfig.get_path("purelib")] if self.needs_boto3 else []
        path = json.dumps([str(self.folder), *libraries])
        # Lambda's code folder is read-only, so what is not compiled is compiled at each cold start.
        command = [sys.executable, "-I", "-S", "-B", "-c", _SCRIPT]
        began = time.perf_counter()
        with subprocess.Popen(
            [*command, path, self.handler, json.dumps(event)],
            env=self.env,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            lines = process.stdout or ()
            line = next((line for line in lines if line.startswith(_MARK)), f"{_MARK}null")
            milliseconds = (time.perf_counter() - began) * 1000
        return milliseconds, json.loads(line.removeprefix(_MARK))


def authorizer_event(token: str) -> dict[str, Any]:
    """Return the event that API Gateway sends to an authorizer."""
    arn = "arn:aws:execute-api:us-east-1:000000000000:api/api/GET/photos"
    return {"type": "TOKEN", "authorizationToken": f"Bearer {token}", "methodArn": arn}


def request_event(path: str, authorizer: dict[str, str]) -> dict[str, Any]:
    """Return the event that API Gateway sends for an authorized GET request.

    `authorizer` is the context that the authorizer returned.
    """
    return {
        "resource": path,
        "path": path,
        "httpMethod": "GET",
        "headers": {"accept": "*/*"},
        "multiValueHeaders": {},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "body": None,
        "isBase64Encoded": False,
        "requestContext": {
            "resourcePath": path,
            "path": path,
            "httpMethod": "GET",
            "identity": {"sourceIp": "127.0.0.1"},
            "authorizer": authorizer,
        },
    }
