"""The names of one stage's resources: several stages can share one AWS account."""

import re
from dataclasses import dataclass

from infra.errors import OperatorError


@dataclass(frozen=True)
class Stage:
    """A separate album: accounts, photos, app, settings and website."""

    name: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,14}", self.name):
            raise OperatorError(
                f"STAGE={self.name} is not valid. Use up to 15 of a-z, 0-9 and -, a letter first."
            )

    @property
    def data_stack(self) -> str:
        """Return the name of the stack of accounts and photos."""
        return f"cloudalbum-{self.name}-data"

    @property
    def app_stack(self) -> str:
        """Return the name of the stack of functions, API and alarms."""
        return f"cloudalbum-{self.name}-app"

    @property
    def website_stack(self) -> str:
        """Return the name of the stack of the single-page client."""
        return f"cloudalbum-{self.name}-website"

    @property
    def table_suffix(self) -> str:
        """Return the suffix of the tables' names."""
        return "" if self.name == "dev" else f"-{self.name}"

    @property
    def parameter_path(self) -> str:
        """Return the path of the stage's parameters; `.chalice/config.json` must agree with it."""
        return f"/cloudalbum{self.table_suffix}/"
