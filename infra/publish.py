"""Publish a built single-page client of others to a CloudFront distribution of its own."""

import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

from chalice.package import YAMLTemplateSerializer

from infra import account, cloudfront, site, stacks
from infra.deploy import api_url
from infra.errors import OperatorError, exit_code
from infra.stacks import MakeClient
from infra.stages import Stage

_TEMPLATE = Path(__file__).with_name("website.yaml")

# File names with a hash of the content, as webpack (js/app.3f2a1b9c.js) and Vite
# (assets/index-BxY_12ab.js) write them.
_HASHED = re.compile(
    r".*[.-](?=[a-f]*\d)[0-9a-f]{8,}\.\w+(\.map)?"
    r"|(.*/)?assets/.*-[A-Za-z0-9_-]{8}\.\w+(\.map)?"
)
_IMMUTABLE = "public, max-age=31536000, immutable"
_REVALIDATE = "no-cache"
_ONE_HOUR = "public, max-age=3600"


def publish(make_client: MakeClient, stage: Stage, dist: Path) -> str:
    """Upload the client in the folder `dist` and return its URL. Raises OperatorError."""
    files = site.files_of(dist)
    cloudformation = make_client("cloudformation")
    stacks.deploy(cloudformation, stage.website_stack, _template(), {"Stage": stage.name})
    outputs = stacks.outputs(cloudformation, stage.website_stack) or {}
    site.upload(make_client("s3"), outputs["BucketName"], files, cache_control)
    make_client("cloudfront").create_invalidation(
        DistributionId=outputs["DistributionId"],
        InvalidationBatch={
            "Paths": {"Quantity": 1, "Items": ["/*"]},
            "CallerReference": str(time.time_ns()),
        },
    )
    return website_url(outputs)


def website_url(outputs: dict[str, str]) -> str:
    """Return the client's URL, from the outputs of its stack."""
    if "WebHost" not in outputs:  # A stack of an earlier version, which has no CloudFront.
        return outputs["WebsiteURL"]
    return cloudfront.web_url(outputs["WebHost"])


def cache_control(name: str) -> str:
    """Return the Cache-Control header of a file, by its name."""
    if name.endswith(".html") or name == "sw.js":
        return _REVALIDATE
    return _IMMUTABLE if _HASHED.fullmatch(name) else _ONE_HOUR


def _template() -> dict[str, Any]:
    text = _TEMPLATE.read_text()
    if account.emulated():
        template = YAMLTemplateSerializer().load_template(text)
        cloudfront.adapt_to_embedded_aws(template)
        text = json.dumps(template)
    return {"TemplateBody": text}


def main() -> None:
    """Publish the client in the folder that DIST names for the stage that STAGE names."""
    dist = os.environ.get("DIST")
    if not dist:
        raise OperatorError(
            "DIST is missing. Run `make publish-frontend DIST=path` with the built client."
        )
    stage, make_client = account.stage(), account.session().client
    url = publish(make_client, stage, Path(dist))
    app = stacks.outputs(make_client("cloudformation"), stage.app_stack)
    print(f"Client   {url}")
    print(f"API      {api_url(app) if app else 'not deployed yet: run `make deploy`'}")


if __name__ == "__main__":
    sys.exit(exit_code(main))
