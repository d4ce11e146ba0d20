"""End to end over real HTTP: against `chalice local`, the packaged Lambda, or a URL of your own."""

import itertools
import re
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.stack import Person, RunningStack, running


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """Return the running local stack, in whose log nothing may be found of what is private."""
    with running(tmp_path_factory.mktemp("state")) as started:
        yield started
    # The lines of JSON are the album's; the local server writes others, with the whole path.
    logged = [line for line in started.log.read_text().splitlines() if line.startswith("{")]
    for line in logged:
        found = PRIVATE.search(line)
        assert not found, f"the log tells {found}: {line}"


# E-mail addresses, passwords, tokens, presigned URLs and forms, the names and places of the tests'
# pictures, which all end in .jpg and lie at some degrees with decimals.
PRIVATE = re.compile(
    r"@example|Secret-|Correct-|eyJ[\w-]{10}|X-Amz-|Signature|https?://|\.jpe?g|\d\d\.\d{3}"
)


@pytest.fixture(scope="session")
def packaged_url(stack: RunningStack) -> str:
    """Return the URL of the package that AWS would run, deployed into the embedded AWS."""
    return stack.deploy("dev")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that wants an album on every kind of it, or on the URL given by --base-url."""
    if "album_url" in metafunc.fixturenames:
        given = metafunc.config.getoption("base_url")
        kinds = [given] if given else ["chalice local", "packaged"]
        metafunc.parametrize("album_url", kinds, indirect=True, scope="session")


@pytest.fixture(scope="session")
def album_url(request: pytest.FixtureRequest) -> str:
    """Return the base URL of one kind of album."""
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
    """Return a function that signs somebody new up and in."""

    def make() -> Person:
        made = Person(album_url, f"person-{next(_numbers)}@example.com")
        assert made.sign_up().status_code == 200
        assert made.sign_in().status_code == 200
        return made

    return make


@pytest.fixture
def mario(person: Callable[[], Person]) -> Person:
    """Return somebody who is signed in."""
    return person()


@pytest.fixture
def luigi(person: Callable[[], Person]) -> Person:
    """Return somebody else."""
    return person()
