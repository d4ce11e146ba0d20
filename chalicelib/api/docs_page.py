"""The page on which the API can be read and tried: Swagger UI, from `vendor/swagger_ui`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from chalice import Response

from chalicelib.errors import ConfigurationError, NotFound

if TYPE_CHECKING:
    from chalicelib.settings import Settings

_ROOT = Path(__file__).parents[2]
# Chalice puts what is in vendor/ at the root of the package.
_FOLDERS = (_ROOT / "swagger_ui", _ROOT / "vendor" / "swagger_ui")
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}

# Scripts and styles come from where the page does. The UI's icons are data: URLs, and it shows an
# image in a response as a blob: URL, after following the API's redirect to the bucket.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:{bucket}; "
    "connect-src 'self'{bucket}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>CloudAlbum API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{assets}swagger-ui.css">
<link rel="stylesheet" href="{assets}page.css">
</head>
<body>
<div id="page" data-document="{document}">
<p>The API is described in <a href="{document}">{document}</a>.</p>
</div>
<script src="{assets}swagger-ui-bundle.js"></script>
<script src="{assets}start.js"></script>
</body>
</html>
"""
_STYLE = """\
/* No response has links. */
.swagger-ui .response-col_links { display: none; }

/* On a phone, everything fits the width of the screen. */
@media (max-width: 640px) {
  .swagger-ui .wrapper, .swagger-ui .opblock .opblock-section-header { padding: 0 10px; }
  .swagger-ui .info .link { overflow-wrap: anywhere; }
  .swagger-ui .schemes > div, .swagger-ui .servers label { max-width: 100%; min-width: 0; }
  .swagger-ui .servers > label select { max-width: 100%; min-width: 0; }
  .swagger-ui .try-out .btn { min-width: 0; padding: 5px 8px; }
  .swagger-ui .table-container, .swagger-ui .responses-inner { padding: 10px; }
  .swagger-ui .parameters-col_description input { max-width: 100%; }
  .swagger-ui .responses-wrapper { overflow-x: auto; }
}
"""
_START = """"use strict";
const page = document.getElementById("page");
const url = new URL(page.dataset.document, location.href).href;

// The document's server is relative to it, and would be shown as ".".
function withBaseUrl(spec) {
  for (const server of spec.servers) {
    server.url = new URL(server.url, url).href.replace(/\\/$/, "");
  }
  return spec;
}

// Swagger UI fills each field of a form with an example, which would replace the photo's own data.
function withEmptyForms(spec) {
  for (const schema of Object.values(spec.components.schemas)) {
    if (schema.title.endsWith("Form")) {
      for (const field of Object.values(schema.properties)) {
        field.default = "";
        if (field.anyOf) {
          field.type = field.anyOf[0].type; // the page shows only one type of input
          delete field.anyOf;
        }
      }
    }
  }
  return spec;
}

function show(spec) {
  const ui = SwaggerUIBundle({
    domNode: page,
    spec: withEmptyForms(withBaseUrl(spec)),
    deepLinking: true,
    displayRequestDuration: true,
    tryItOutEnabled: true,
    // An empty field of a form means the same as an absent one, so it is never sent.
    plugins: [{ components: { ParameterIncludeEmpty: () => null } }],
    // Signing in on the page also authorizes the requests that are tried next.
    responseInterceptor: (response) => {
      if (response.ok && /\\/users\\/(signin|refresh)\\/?$/.test(response.url)) {
        ui.preauthorizeApiKey("accessToken", JSON.parse(response.text).accessToken);
      }
      return response;
    },
  });
  ui.specActions.updateUrl(url); // shows the link to the document
}

fetch(url).then((response) => response.json()).then(show);
"""
_OUR_OWN = {"page.css": _STYLE, "start.js": _START}


def page(path: str, settings: Callable[[], Settings]) -> Response:
    """Return the page, whose links hold for the path it was requested by, slash or not."""
    assets, up = ("", "../") if path.endswith("/") else ("docs/", "")
    origin = bucket_origin(settings)
    policy = _POLICY.format(bucket=f" {origin}" if origin else "")
    headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy}
    return Response(_PAGE.format(assets=assets, document=f"{up}openapi.json"), headers=headers)


def asset(name: str) -> Response:
    """Return a script or a style sheet of the page. Raises NotFound."""
    headers = {"Content-Type": _TYPES.get(Path(name).suffix, ""), "Cache-Control": "max-age=3600"}
    if name in _OUR_OWN:
        return Response(_OUR_OWN[name], headers=headers)
    if name not in ("swagger-ui.css", "swagger-ui-bundle.js"):
        raise NotFound("This file does not exist.")
    [folder] = [folder for folder in _FOLDERS if folder.is_dir()]
    return Response((folder / name).read_text("utf-8"), headers=headers)


def bucket_origin(settings: Callable[[], Settings]) -> str:
    """Return the origin of signed URLs, or "" if the settings cannot be read."""
    from botocore.exceptions import BotoCoreError, ClientError

    from chalicelib.clients import bucket_url, endpoint_url

    try:
        known = settings()
        url = urlsplit(bucket_url(known.photo_bucket, known.region, endpoint_url("s3")))
    except (ConfigurationError, BotoCoreError, ClientError):
        return ""  # The page can still be read.
    return f"{url.scheme}://{url.netloc}"
