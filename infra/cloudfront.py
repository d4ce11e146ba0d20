"""CloudFront: its headers, addresses, and what the embedded AWS needs instead of AWS's own."""

import http.client
import os
from typing import Any
from urllib.parse import urlsplit

from infra import account
from infra.web import security_headers

_SECURITY_HEADERS = {  # those that a response headers policy has fields for, with their fields
    "Content-Security-Policy": ("ContentSecurityPolicy", "ContentSecurityPolicy"),
    "Referrer-Policy": ("ReferrerPolicy", "ReferrerPolicy"),
}


def add_response_headers(template: dict[str, Any]) -> None:
    """Add the headers of the web app's files to the app's template."""
    properties = template["Resources"]["WebHeaders"]["Properties"]
    config = properties["ResponseHeadersPolicyConfig"]
    custom = []
    for name, value in security_headers("${PhotoOrigin}").items():
        given = {"Fn::Sub": value} if "${" in value else value
        if name in _SECURITY_HEADERS:
            field, value_field = _SECURITY_HEADERS[name]
            config["SecurityHeadersConfig"][field] = {value_field: given, "Override": True}
        elif name != "X-Content-Type-Options":  # The template has it, for the API as well.
            custom.append({"Header": name, "Value": given, "Override": True})
    config["CustomHeadersConfig"] = {"Items": custom}


def adapt_to_embedded_aws(template: dict[str, Any]) -> None:
    """Let a template's distributions work in MiniStack.

    It has no HTTPS, resolves no host names of AWS, and runs functions only if there is a Node.
    """
    endpoint = urlsplit(os.environ["AWS_ENDPOINT_URL"])
    for resource in template["Resources"].values():
        if resource["Type"] != "AWS::CloudFront::Distribution":
            continue
        config = resource["Properties"]["DistributionConfig"]
        for behavior in (config["DefaultCacheBehavior"], *config.get("CacheBehaviors", [])):
            behavior["ViewerProtocolPolicy"] = "allow-all"
            behavior.pop("FunctionAssociations", None)
        for origin in config["Origins"]:
            if origin["Id"] == "api":
                origin["DomainName"] = endpoint.hostname
                origin["OriginPath"] = {"Fn::Sub": "/_aws/execute-api/${RestAPI}"}
                origin["CustomOriginConfig"] = {
                    "HTTPPort": endpoint.port,
                    "OriginProtocolPolicy": "http-only",
                }


def web_url(host: str) -> str:
    """Return the URL of what CloudFront serves at a host."""
    return f"{'http' if account.emulated() else 'https'}://{host}"


def how_to_open(host: str) -> str:
    """Return the command that opens the URL of the embedded AWS's CloudFront in a browser."""
    address, url = urlsplit(os.environ["AWS_ENDPOINT_URL"]).netloc, web_url(host)
    # Only a secure context has service workers and hashes.
    return (
        f'chromium --host-resolver-rules="MAP {host} {address}" '
        f"--unsafely-treat-insecure-origin-as-secure={url} {url}"
    )


def get(host: str, path: str) -> tuple[int, bytes]:
    """Return status and body of what CloudFront serves at a path; 0 if it does not respond."""
    connection: http.client.HTTPConnection
    if account.emulated():
        address = urlsplit(os.environ["AWS_ENDPOINT_URL"]).netloc
        connection = http.client.HTTPConnection(address, timeout=35)
    else:
        connection = http.client.HTTPSConnection(host, timeout=35)
    try:
        connection.request("GET", path, headers={"Host": host})
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()
