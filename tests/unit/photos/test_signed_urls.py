"""Presigned URLs: botocore's, except for the moment of signing."""

import random
import string
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from unittest import mock
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore import auth
from botocore.credentials import ReadOnlyCredentials

from chalicelib.clients import bucket_url, client_config
from chalicelib.photos.signed_urls import UrlSigner

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


def client_of(region: str, credentials: ReadOnlyCredentials, endpoint: str | None) -> object:
    return boto3.client(
        "s3",
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id=credentials.access_key,
        aws_secret_access_key=credentials.secret_key,
        aws_session_token=credentials.token,
        config=client_config(),
    )


def moments(count: int) -> Iterator[datetime]:
    for number in range(count):
        yield NOON + timedelta(hours=7 * number, seconds=number)


def require_equal(
    region: str, endpoint: str | None, credentials: ReadOnlyCredentials, bucket: str, urls: int
) -> None:
    """Fail unless `urls` URLs, each with another key and moment, equal those of botocore."""
    chance = random.Random(f"{region}{endpoint}{credentials.token}{bucket}")
    seconds = chance.randint(1, 7 * 24 * 3600)
    client = client_of(region, credentials, endpoint)
    signer = UrlSigner(bucket_url(bucket, region, endpoint), region, seconds, lambda: credentials)
    for moment in moments(urls):
        length = chance.randint(1, 80)
        key = "photos/" + "".join(chance.choices(string.printable[:94] + "é슈 ", k=length))
        with mock.patch.object(auth, "get_current_datetime", return_value=moment):
            expected = client.generate_presigned_url(  # type: ignore[attr-defined]
                "get_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=seconds
            )
        assert signer.url_signed_at(key, int(moment.timestamp())) == expected


@pytest.mark.parametrize("token", [None, "a/session+token==" * 50], ids=["user", "role"])
@pytest.mark.parametrize("endpoint", [None, "http://127.0.0.1:4566"], ids=["AWS", "emulator"])
@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "ap-northeast-2"])
def test_url_equals_that_of_botocore_byte_for_byte(
    region: str, endpoint: str | None, token: str | None
) -> None:
    credentials = ReadOnlyCredentials("AKIAEXAMPLE", "secret/key+x", token)
    require_equal(region, endpoint, credentials, "album-photos", 250)


@pytest.mark.parametrize("region", ["us-gov-west-1", "cn-north-1", "me-central-1", "eu-south-2"])
# A bucket with dots is in the path, since no certificate covers it in the host name.
@pytest.mark.parametrize("bucket", ["album", "my.album.photos", "0" * 63])
def test_url_equals_that_of_botocore_for_any_credentials_bucket_and_region(
    region: str, bucket: str
) -> None:
    chance = random.Random(f"{region}{bucket}")
    letters = string.ascii_letters + string.digits + "+/="
    for _ in range(2):
        token = "".join(chance.choices(letters, k=chance.randint(1, 1500)))
        secret = "".join(chance.choices(letters, k=40))
        credentials = ReadOnlyCredentials("ASIA" + token[:16].upper(), secret, token)
        require_equal(region, None, credentials, bucket, 10)


def signer_at(now: list[datetime], seconds: int) -> UrlSigner:
    credentials = ReadOnlyCredentials("AKIAEXAMPLE", "secret", None)
    return UrlSigner(
        "https://b.s3", "eu-west-1", seconds, lambda: credentials, lambda: now[0].timestamp()
    )


@pytest.mark.parametrize("seconds", [1, 2, 3, 60, 3600, 7 * 24 * 3600])
def test_url_stays_the_same_but_is_always_valid_for_half_its_lifetime(seconds: int) -> None:
    now = [NOON]
    signer = signer_at(now, seconds)
    urls = set()
    for step in range(200):
        now[0] = NOON + timedelta(seconds=step * max(1, seconds // 100))
        url = signer.url("key")
        urls.add(url)
        [stamp] = parse_qs(urlsplit(url).query)["X-Amz-Date"]
        signed = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        remaining = signed + timedelta(seconds=seconds) - now[0]
        assert signed <= now[0]
        assert remaining >= timedelta(seconds=seconds / 2)
    elapsed = 200 * max(1, seconds // 100)
    assert len(urls) <= elapsed / max(1, seconds // 2) + 1


def test_url_changes_with_the_credentials() -> None:
    roles = iter([ReadOnlyCredentials("A1", "s1", "t1"), ReadOnlyCredentials("A2", "s2", "t2")])
    signer = UrlSigner("https://b.s3", "eu-west-1", 60, lambda: next(roles), NOON.timestamp)
    first, second = signer.url("key"), signer.url("key")
    assert "A1" in first
    assert "A2" in second
    assert first.split("Signature=")[1] != second.split("Signature=")[1]
