"""What requests, and whole albums, cost at the public prices of AWS; `make costs` runs this.

It writes the tables in docs/costs.md. `tests/api/test_calls.py` checks how many calls to AWS each
route makes.
"""

import re
from dataclasses import dataclass
from pathlib import Path

DOCUMENT = Path(__file__).parents[1] / "docs" / "costs.md"
_APP = Path(__file__).parents[1] / "infra" / "app.yaml"

# US$ per million in us-east-1, November 2026, without free tiers.
_GATEWAY = 3.50
_LAMBDA_REQUEST = 0.20
_LAMBDA_GB_SECOND = 16.6667
_READ_UNIT, _WRITE_UNIT = 0.125, 0.625
_S3_WRITE, _S3_READ = 5.00, 0.40  # PUT, COPY and LIST; GET. DELETE is free.
_TRACES = 0.05 * 5.00  # One of twenty requests is traced.

# US$ per GB and month, or per GB.
_ITEM_GB, _RECOVERY_GB = 0.25, 0.20
_LOG_GB, _LOG_STORED_GB = 0.50, 0.03
_DATA_OUT_GB, _DATA_OUT_FREE_GB = 0.09, 100
_MONITORED = 2.50  # per million objects in Intelligent-Tiering
_ALARM = 0.10

_API_GB, _AUTHORIZER_GB, _AUTHORIZER_SECONDS = 1.728, 0.5, 0.01
_CHECK_GB = 0.5


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
    Route("upload, 0.8 MB", 130, writes=10, s3_writes=3),
    Route("upload with an `Idempotency-Key`", 140, reads=1, writes=12, s3_writes=3),
    Route("start an upload to S3", 20, writes=4),
    Route("complete an upload to S3, 12 MP", 280, reads=1, writes=12, s3_writes=3, s3_reads=1),
    Route("list of 100 photos", 20, reads=25),
    Route("list of 1,000 photos", 80, reads=250),
    Route("page of 50, list or map", 15, reads=13),
    Route("search in 10,000 photos", 300, reads=2500),
    Route("page of 50 favorites, or of the trash", 20, reads=52),
    Route("timeline, or tags", 10, reads=1),
    Route("200 hashes of known images", 30, reads=400),
    Route("upload of a skipped duplicate, 0.8 MB", 20, reads=2),
    Route("one photo, or a redirect to its image", 10, reads=1),
    Route("edit", 25, reads=1, writes=2),
    Route("favorite", 30, reads=1, writes=6),
    Route("trash, or restore", 30, reads=1, writes=10),
    Route("delete", 60, reads=1, writes=12),
]


@dataclass(frozen=True)
class StorageClass:
    """What originals in one storage class of S3 cost."""

    name: str
    month: float  # US$ per GB
    read: float  # US$ per GB that is downloaded
    write_request: float  # US$ per million
    read_request: float  # US$ per million
    monitored: float = 0  # US$ per million objects


# After some months: a tenth of the originals was read in the last 30 days, a tenth in the last 90.
_TIERED_GB = 0.1 * 0.023 + 0.1 * 0.0125 + 0.8 * 0.004
STANDARD = StorageClass("STANDARD", 0.023, 0, _S3_WRITE, _S3_READ)
TIERED = StorageClass("INTELLIGENT_TIERING", _TIERED_GB, 0, _S3_WRITE, _S3_READ, _MONITORED)
CLASSES = [
    STANDARD,
    TIERED,
    StorageClass("STANDARD_IA", 0.0125, 0.01, 10.00, 1.00),
    StorageClass("GLACIER_IR", 0.004, 0.03, 20.00, 10.00),
]


@dataclass(frozen=True)
class Album:
    """An album of a family, and a month of its use in proportion to its photos.

    For 10,000 photos: 200 uploads, 2,000 pages of a list with 50 thumbnails each, 2,000 photos
    opened, 50 edits, 20 deletions, and 500 times a token.
    """

    photos: int
    original_gb: float = 0.003
    preview_gb: float = 0.0003
    thumbnail_gb: float = 0.000045
    item_gb: float = 0.000002  # twice, because of the index

    @property
    def use(self) -> dict[str, float]:
        """Return the requests of a month, by the name of their route."""
        of_10_000 = {
            "upload, 0.8 MB": 200,
            "page of 50, list or map": 2000,
            "one photo, or a redirect to its image": 2000,
            "edit": 50,
            "delete": 20,
            "sign in, refresh, confirm, forgot password": 500,
        }
        return {name: count * self.photos / 10_000 for name, count in of_10_000.items()}

    def originals(self, stored: StorageClass) -> float:
        """Return the US$ of a month of originals in one class, with the requests for them."""
        month = self.photos * self.original_gb * stored.month
        uploads, opened = self.use["upload, 0.8 MB"], self._opened
        requests = uploads * stored.write_request + opened * stored.read_request
        hashes = self.photos * stored.read_request  # of each photo once in a month
        monitored = self.photos * stored.monitored
        downloads = opened * self.original_gb * stored.read
        return month + downloads + (requests + hashes + monitored) / 1e6

    @property
    def costs(self) -> dict[str, float]:
        """Return the US$ of a month, item by item."""
        return self._storage() | self._requests() | self._check() | self._operation()

    def _storage(self) -> dict[str, float]:
        originals, items = self.photos * self.original_gb, self.photos * self.item_gb
        deleted = self.use["delete"] * self.original_gb
        return {
            "originals in Intelligent-Tiering, 3 MB each": originals * TIERED.month,
            "their monitoring": self.photos * TIERED.monitored / 1e6,
            "thumbnails in Standard": self.photos * self.thumbnail_gb * STANDARD.month,
            "previews in Standard": self.photos * self.preview_gb * STANDARD.month,
            "deleted originals, for 35 days": deleted * STANDARD.month * 35 / 30,
            "DynamoDB: items of 1 kB, and their index": items * _ITEM_GB,
            "DynamoDB: point-in-time recovery": items * _RECOVERY_GB,
        }

    def _requests(self) -> dict[str, float]:
        found: dict[str, float] = {}
        for route in ROUTES:
            for service, cost in route.costs.items():
                paid = cost * self.use.get(route.name, 0) / 1e6
                found[service] = found.get(service, 0) + paid
        found["S3"] += (self._thumbnails_shown + self._opened) * _S3_READ / 1e6
        return {f"requests: {service}": cost for service, cost in found.items()}

    def _check(self) -> dict[str, float]:
        lists = 2 * 3 * self.photos / 1000  # of the three objects of each photo, twice
        s3 = 30 * lists * _S3_WRITE + 3 * self.photos * _S3_READ
        seconds = 30 * self.photos * 0.001
        return {
            "daily check: S3, lists and each hash once a month": s3 / 1e6,
            "daily check: DynamoDB, 7 photos a read unit": 30 * self.photos / 7 * _READ_UNIT / 1e6,
            "daily check: Lambda, 1 ms a photo": _lambda_time(seconds, _CHECK_GB) / 1e6,
        }

    def _operation(self) -> dict[str, float]:
        logs = sum(self.use.values()) * 2e-6  # the functions' lines, Lambda's and the gateway's
        out = self._thumbnails_shown * self.thumbnail_gb + self._opened * self.original_gb
        return {
            "CloudWatch: logs, 2 kB a request": logs * (_LOG_GB + _LOG_STORED_GB),
            f"CloudWatch: {alarms()} alarms": alarms() * _ALARM,
            "Cognito: up to 10,000 users": 0,
            "data out of AWS, after 100 GB": max(0, out - _DATA_OUT_FREE_GB) * _DATA_OUT_GB,
        }

    @property
    def _thumbnails_shown(self) -> float:
        return 50 * self.use["page of 50, list or map"]

    @property
    def _opened(self) -> float:
        return self.use["one photo, or a redirect to its image"]


def alarms() -> int:
    """Return the number of alarms of a stage."""
    return len(re.findall(r"Type: AWS::CloudWatch::Alarm\b", _APP.read_text()))


def with_tables(text: str) -> str:
    """Return the text with the current tables. Raises ValueError without a table's markers."""
    for name, table in (("requests", _requests()), ("month", _month()), ("classes", _classes())):
        begin, end = f"<!-- {name}: written by `make costs` -->\n", f"<!-- end of {name} -->"
        before, found, rest = text.partition(begin)
        _, found_end, after = rest.partition(end)
        if not (found and found_end):
            raise ValueError(f"The markers of the table {name} are missing.")
        text = f"{before}{begin}\n{table}\n{end}{after}"
    return text


def _requests() -> str:
    services = list(ROUTES[0].costs)
    lines = [
        f"| a million requests | US$ | {' | '.join(services)} |",
        f"|---|---|{'---|' * len(services)}",
    ]
    for route in ROUTES:
        cells = [f"{cost:.2f}" if cost else "" for cost in route.costs.values()]
        lines.append(f"| {route.name} | {sum(route.costs.values()):.2f} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _month() -> str:
    small, large = Album(10_000).costs, Album(100_000).costs
    lines = ["| a month, US$ | 10,000 photos | 100,000 photos |", "|---|---|---|"]
    lines += [f"| {name} | {_shown(small[name])} | {_shown(large[name])} |" for name in small]
    sums = (f"**{sum(costs.values()):.2f}**" for costs in (small, large))
    return "\n".join([*lines, f"| **sum** | {' | '.join(sums)} |"]) + "\n"


def _classes() -> str:
    lines = [
        "| originals of a month, US$ | 10,000 photos | 100,000 photos | per GB | read a GB |",
        "|---|---|---|---|---|",
    ]
    for one in CLASSES:
        costs = (f"{Album(photos).originals(one):.2f}" for photos in (10_000, 100_000))
        lines.append(f"| `{one.name}` | {' | '.join(costs)} | {one.month:.4f} | {one.read:.2f} |")
    return "\n".join(lines) + "\n"


def _shown(cost: float) -> str:
    return f"{cost:.2f}" if cost == 0 or cost >= 0.005 else "< 0.01"


def main() -> None:
    """Write the tables."""
    DOCUMENT.write_text(with_tables(DOCUMENT.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
