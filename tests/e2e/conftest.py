"""End to end over HTTP: against `chalice local`, the packaged Lambda, or the URL in --base-url."""

import itertools
import re
from collections.abc import Callable, Iterator

import pytest

from infra.background import RunningStack, running
from tests.support.people import Person


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """Return the running local stack; afterwards, its log must not contain anything private."""
    with running(tmp_path_factory.mktemp("state")) as started:
        yield started
    # The lines of JSON are the album's; the local server's own lines have the whole path.
    logged = [line for line in started.api_log.read_text().splitlines() if line.startswith("{")]
    assert logged
    for line in logged:
        found = PRIVATE.search(line)
        assert not found, f"the log contains {found}: {line}"


# Email addresses, passwords, tokens, presigned URLs and forms, and the names and positions of
# images: in the tests, names end in .jpg, and degrees have three decimals.
PRIVATE = re.compile(
    r"@example|Secret-|Correct-|eyJ[\w-]{10}|X-Amz-|Signature|https?://|\.jpe?g|\d\d\.\d{3}"
)


@pytest.fixture(scope="session")
def packaged_url(stack: RunningStack) -> str:
    """Return the URL of the package that AWS runs, deployed to the embedded AWS."""
    return stack.deploy("dev")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that uses `album_url` against both kinds of album, or the one at --base-url."""
    if "album_url" in metafunc.fixturenames:
        given = metafunc.config.getoption("base_url")
        kinds = [given] if given else ["chalice local", "packaged"]
        metafunc.parametrize("album_url", kinds, indirect=True, scope="session")


@pytest.fixture(scope="session")
def album_url(request: pytest.FixtureRequest) -> str:
    """Return the base URL of one of these albums."""
    if request.param == "chalice local":
        stack: RunningStack = request.getfixturevalue("stack")
        return stack.url
    if request.param == "packaged":
        url: str = request.getfixturevalue("packaged_url")
        return url
    return str(request.param)


_numbers = itertools.count(1)


@pytest.fixture
def person(album_url: str) -> Callable[[], Person]:
    """Return a function that signs a new person up and in."""
    return lambda: Person.registered(album_url, f"person-{next(_numbers)}@example.com")


@pytest.fixture
def mario(person: Callable[[], Person]) -> Person:
    """Return a person who is signed in."""
    return person()


@pytest.fixture
def luigi(person: Callable[[], Person]) -> Person:
    """Return another person who is signed in."""
    return person()
