"""The package and its template, built without credentials."""

import pytest

from infra import package
from infra.stages import Stage


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> package.Package:
    """Return the package of the stage dev."""
    with pytest.MonkeyPatch.context() as environment:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "CORS_ALLOW_ORIGIN"):
            environment.delenv(name, raising=False)
        environment.setenv("AWS_EC2_METADATA_DISABLED", "true")
        environment.setenv("HOME", "/nonexistent")
        return package.build(Stage("dev"), tmp_path_factory.mktemp("dist"))
