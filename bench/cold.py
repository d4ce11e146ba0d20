"""One function's cold start in a process of its own: Python starts, imports, and answers.

That is what Lambda calls init and the first invocation. What comes before, fetching and unpacking
the package, is not in it.
"""

import json
import subprocess
import sys
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SCRIPT = """
import json, sys, types
sys.path[:] = json.loads(sys.argv[1]) + [path for path in sys.path if "site-packages" not in path]
import importlib
module, _, name = sys.argv[2].partition(".")
handler = getattr(importlib.import_module(module), name)
context = types.SimpleNamespace(aws_request_id="cold", function_name="cold")
answer = handler(json.loads(sys.argv[3]), context)
print("ANSWER", json.dumps(answer), flush=True)  # behind what the function itself logs
"""


@dataclass(frozen=True)
class Function:
    """A packaged function: its unpacked folder, its handler as Lambda names it, its environment."""

    folder: Path
    handler: str
    env: dict[str, str]
    has_boto3: bool = False  # as Lambda's own runtime has, behind the package

    def first_call(self, event: dict[str, Any]) -> tuple[float, dict[str, Any]]:
        """Return the milliseconds until a new process has answered an event, and the answer."""
        libraries = [sysconfig.get_path("purelib")] if self.has_boto3 else []
        path = json.dumps([str(self.folder), *libraries])
        # Lambda's code folder is read-only: what is not compiled is compiled at each cold start.
        command = [sys.executable, "-I", "-S", "-B", "-c", _SCRIPT]
        began = time.perf_counter()
        with subprocess.Popen(
            [*command, path, self.handler, json.dumps(event)],
            env=self.env,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            lines = process.stdout or ()
            line = next((line for line in lines if line.startswith("ANSWER ")), "ANSWER null")
            milliseconds = (time.perf_counter() - began) * 1000
        answer: dict[str, Any] = json.loads(line.removeprefix("ANSWER "))
        return milliseconds, answer


def authorizer_event(token: str) -> dict[str, Any]:
    """Return what API Gateway asks an authorizer."""
    arn = "arn:aws:execute-api:us-east-1:000000000000:api/api/GET/photos"
    return {"type": "TOKEN", "authorizationToken": f"Bearer {token}", "methodArn": arn}


def request_event(path: str, authorizer: dict[str, str]) -> dict[str, Any]:
    """Return what API Gateway passes on of a GET request that an authorizer has let in."""
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
