"""The page on which the API can be read and tried: Swagger UI, from `vendor/swagger_ui`."""

from pathlib import Path

from chalice import Response

from chalicelib.errors import NotFound

_ROOT = Path(__file__).parents[2]
# Chalice puts what is in vendor/ at the root of the package.
_FOLDERS = (_ROOT / "swagger_ui", _ROOT / "vendor" / "swagger_ui")
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}

# Everything comes from where the page itself does; the UI's icons are data: URLs.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>CloudAlbum API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{assets}swagger-ui.css">
</head>
<body>
<div id="page" data-document="{document}">
The API is described by <a href="{document}">{document}</a>.
</div>
<script src="{assets}swagger-ui-bundle.js"></script>
<script src="{assets}start.js"></script>
</body>
</html>
"""
_START = """"use strict";
const page = document.getElementById("page");
const ui = SwaggerUIBundle({
  domNode: page,
  url: page.dataset.document,
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  // Whoever signs in on the page is signed in for what is tried next.
  responseInterceptor: (response) => {
    if (response.ok && /\\/users\\/(signin|refresh)\\/?$/.test(response.url)) {
      ui.preauthorizeApiKey("accessToken", JSON.parse(response.text).accessToken);
    }
    return response;
  },
});
"""


def page(path: str) -> Response:
    """Return the page, whose links hold for the path it was asked for, with or without a slash."""
    assets, up = ("", "../") if path.endswith("/") else ("docs/", "")
    headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": _POLICY}
    return Response(_PAGE.format(assets=assets, document=f"{up}openapi.json"), headers=headers)


def asset(name: str) -> Response:
    """Return a script or a style sheet of the page. Raises NotFound."""
    headers = {"Content-Type": _TYPES.get(Path(name).suffix, ""), "Cache-Control": "max-age=3600"}
    if name == "start.js":
        return Response(_START, headers=headers)
    if name not in ("swagger-ui.css", "swagger-ui-bundle.js"):
        raise NotFound("There is no such file.")
    [folder] = [folder for folder in _FOLDERS if folder.is_dir()]
    return Response((folder / name).read_text("utf-8"), headers=headers)
