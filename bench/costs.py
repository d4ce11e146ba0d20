"""Print what a million requests of each route cost at the public prices of AWS.

`tests/api/test_calls.py` checks how many calls to AWS each route makes.
"""

from dataclasses import dataclass

# US$ per million in us-east-1, November 2026, without free tiers.
_GATEWAY = 3.50
_LAMBDA_REQUEST = 0.20
_LAMBDA_GB_SECOND = 16.6667
_READ_UNIT, _WRITE_UNIT = 0.125, 0.625
_S3_WRITE, _S3_READ = 5.00, 0.40  # PUT, COPY and LIST; GET. DELETE is free.
_TRACES = 0.05 * 5.00  # One of twenty requests is traced.

_API_GB, _AUTHORIZER_GB, _AUTHORIZER_SECONDS = 1.728, 0.5, 0.01


@dataclass(frozen=True)
class Route:
    """What one request uses."""

    name: str
    milliseconds: float  # of the API's function, approximately
    reads: float = 0  # DynamoDB's read units
    writes: float = 0  # DynamoDB's write units
    s3_writes: float = 0
    s3_reads: float = 0
    authorized: bool = True

    @property
    def costs(self) -> dict[str, float]:
        """Return the US$ of a million requests by service."""
        functions = _LAMBDA_REQUEST + _lambda_time(self.milliseconds / 1000, _API_GB)
        reads = self.reads
        if self.authorized:
            functions += _LAMBDA_REQUEST + _lambda_time(_AUTHORIZER_SECONDS, _AUTHORIZER_GB)
            reads += 1
        return {
            "API Gateway": _GATEWAY,
            "Lambda": functions,
            "DynamoDB": reads * _READ_UNIT + self.writes * _WRITE_UNIT,
            "S3": self.s3_writes * _S3_WRITE + self.s3_reads * _S3_READ,
            "X-Ray": _TRACES,
        }


def _lambda_time(seconds: float, gigabytes: float) -> float:
    return seconds * gigabytes * _LAMBDA_GB_SECOND


ROUTES = [
    Route("`GET /health`, `GET /users/links`", 2, authorized=False),
    Route("sign up", 200, writes=1, authorized=False),
    Route("sign in", 110, reads=1, authorized=False),
    Route("refresh, confirm, forgot password", 80, authorized=False),
    Route("reset password", 200, writes=1, authorized=False),
    Route("sign out", 80, writes=1),
    Route("change password", 200, writes=1),
    Route("profile", 40, reads=1),
    Route("upload, 0.8 MB", 100, writes=6, s3_writes=2),
    Route("upload with an `Idempotency-Key`", 110, reads=1, writes=8, s3_writes=2),
    Route("start an upload to S3", 20, writes=4),
    Route("complete an upload to S3, 12 MP", 250, reads=1, writes=8, s3_writes=2, s3_reads=1),
    Route("list of 100 photos", 20, reads=25),
    Route("list of 1,000 photos", 80, reads=250),
    Route("page of 50, list or map", 15, reads=13),
    Route("search in 10,000 photos", 300, reads=2500),
    Route("tags of 1,000 photos", 40, reads=250),
    Route("one photo, or a redirect to its image", 10, reads=1),
    Route("edit", 25, reads=1, writes=2),
    Route("delete", 50, writes=8),
]


def main() -> None:
    """Print the table."""
    services = list(ROUTES[0].costs)
    print(
        f"| a million requests | US$ | {' | '.join(services)} |\n|---|---|{'---|' * len(services)}"
    )
    for route in ROUTES:
        cells = [f"{cost:.2f}" if cost else "" for cost in route.costs.values()]
        print(f"| {route.name} | {sum(route.costs.values()):.2f} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
