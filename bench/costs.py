"""Print what a million requests of each route cost, by the public prices of AWS.

Units are those of README's table of calls, which `tests/api/test_calls.py` holds the routes to.
"""

from dataclasses import dataclass

# us-east-1, US$ per million, November 2026, without free tiers
_GATEWAY = 3.50
_LAMBDA_REQUEST = 0.20
_LAMBDA_GB_SECOND = 16.6667
_READ_UNIT, _WRITE_UNIT = 0.125, 0.625
_S3_WRITE, _S3_READ = 5.00, 0.40  # PUT, COPY and LIST; GET. DELETE is free
_TRACES = 0.05 * 5.00  # one of twenty requests is traced

_API_GB, _AUTHORIZER_GB, _AUTHORIZER_SECONDS = 1.728, 0.5, 0.01


@dataclass(frozen=True)
class Route:
    """What one request takes."""

    name: str
    milliseconds: float  # of the API's function, about
    reads: float = 0  # DynamoDB's units
    writes: float = 0
    s3_writes: float = 0
    s3_reads: float = 0
    authorized: bool = True

    @property
    def parts(self) -> dict[str, float]:
        """US$ for a million requests, by what they are paid for."""
        functions = _LAMBDA_REQUEST + _seconds(self.milliseconds / 1000, _API_GB)
        reads = self.reads
        if self.authorized:
            functions += _LAMBDA_REQUEST + _seconds(_AUTHORIZER_SECONDS, _AUTHORIZER_GB)
            reads += 1
        return {
            "gateway": _GATEWAY,
            "Lambda": functions,
            "DynamoDB": reads * _READ_UNIT + self.writes * _WRITE_UNIT,
            "S3": self.s3_writes * _S3_WRITE + self.s3_reads * _S3_READ,
            "traces": _TRACES,
        }


def _seconds(seconds: float, gigabytes: float) -> float:
    return seconds * gigabytes * _LAMBDA_GB_SECOND


ROUTES = [
    Route("`GET /health`, `GET /users/links`", 2, authorized=False),
    Route("sign up", 200, writes=1, authorized=False),
    Route("sign in, refresh, confirm, forgot", 80, authorized=False),
    Route("reset the password", 200, writes=1, authorized=False),
    Route("sign out, change the password", 80, writes=1),
    Route("profile", 40, reads=1),
    Route("upload, 0.8 MB", 100, writes=6, s3_writes=2),
    Route("upload with an `Idempotency-Key`", 110, reads=1, writes=8, s3_writes=2),
    Route("ask for an upload", 20, writes=4),
    Route("complete it, 12 MP", 250, reads=1, writes=8, s3_writes=2, s3_reads=1),
    Route("list of 100 photos", 20, reads=25),
    Route("list of 1,000 photos", 80, reads=250),
    Route("page of 50, or of the map", 15, reads=13),
    Route("search through 10,000 photos", 300, reads=2500),
    Route("tags of 1,000 photos", 40, reads=250),
    Route("one photo, or the URL of its bytes", 10, reads=1),
    Route("edit", 25, reads=1, writes=2),
    Route("delete", 50, writes=8),
]


def main() -> None:
    """Print a table."""
    columns = list(ROUTES[0].parts)
    print(f"| a million of | US$ | {' | '.join(columns)} |\n|---|---|{'---|' * len(columns)}")
    for route in ROUTES:
        cells = [f"{part:.2f}" if part else "" for part in route.parts.values()]
        print(f"| {route.name} | {sum(route.parts.values()):.2f} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
