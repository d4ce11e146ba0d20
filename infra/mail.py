"""Print the emails that the embedded AWS has sent, including the codes from Cognito."""

import json
import os
import sys
import urllib.request
from datetime import UTC, datetime
from typing import Any

from infra.errors import OperatorError, exit_code


def mailbox(endpoint: str) -> list[dict[str, Any]]:
    """Return the emails that were sent, oldest first. Raises OperatorError."""
    try:
        with urllib.request.urlopen(f"{endpoint}/_ministack/ses/messages", timeout=5) as answer:  # noqa: S310
            by_account: dict[str, list[dict[str, Any]]] = json.load(answer)["messages"]
            return [message for messages in by_account.values() for message in messages]
    except OSError:
        raise OperatorError("The embedded AWS is not running. Start it with `make run`.") from None


def main() -> None:
    """Print the mailbox of the embedded AWS that AWS_ENDPOINT_URL names."""
    messages = mailbox(os.environ["AWS_ENDPOINT_URL"])
    for message in messages:
        when = datetime.fromtimestamp(message["Timestamp"], UTC).isoformat(timespec="seconds")
        print(f"{when}  to {', '.join(message['To'])}")
        print(f"{message['Subject']}: {message['BodyText'] or message['BodyHtml']}\n")
    if not messages:
        print("The mailbox is empty.")


if __name__ == "__main__":
    sys.exit(exit_code(main))
