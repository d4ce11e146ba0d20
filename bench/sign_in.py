"""What the user pool's trigger adds to a sign-in, measured in the embedded AWS.

It signs in with and without the trigger in turn, since the machine's load changes meanwhile. The
emulator runs the trigger twice for each sign-in (once per token), Cognito once.
"""

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from infra.background import RunningStack, running
from tests.support.people import Person

_ROUNDS = 40


def measure(stack: RunningStack) -> dict[str, list[float]]:
    """Return the milliseconds of each sign-in, with and without the trigger."""
    cognito: Any = stack.make_client("cognito-idp")
    pools = cognito.list_user_pools(MaxResults=60)["UserPools"]
    [pool_id] = [pool["Id"] for pool in pools if pool["Name"] == "cloudalbum-dev"]
    trigger = cognito.describe_user_pool(UserPoolId=pool_id)["UserPool"]["LambdaConfig"]
    person = Person.registered(stack.url, "mario@example.com")
    found: dict[str, list[float]] = {"with the trigger": [], "without": []}
    for _ in range(_ROUNDS):
        for name, config in zip(found, (trigger, {}), strict=True):
            cognito.update_user_pool(
                UserPoolId=pool_id, LambdaConfig=config, DeletionProtection="ACTIVE"
            )
            started = time.perf_counter()
            response = person.sign_in()
            found[name].append((time.perf_counter() - started) * 1000)
            if not response.ok:
                raise RuntimeError(f"The sign-in failed: {response.text}")
    return found


def main() -> None:
    """Print the median and the 90th percentile of both kinds of sign-in."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "state") as stack:
        for name, times in measure(stack).items():
            median, p90 = statistics.median(times), statistics.quantiles(times, n=10)[-1]
            print(f"sign-in {name}: median {median:.0f} ms, p90 {p90:.0f} ms of {len(times)}")


if __name__ == "__main__":
    main()
