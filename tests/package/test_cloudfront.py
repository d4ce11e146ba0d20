"""CloudFront in the templates that AWS deploys: the web app and its API, and a published client."""

import json
import re
from typing import Any

import pytest
from chalice.package import YAMLTemplateSerializer

from infra import gateway, package, web
from infra.package import ROOT

CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
ALL_VIEWER_EXCEPT_HOST_HEADER = "b689b0a8-53d0-40ab-baf2-68738e2966ac"


@pytest.fixture(scope="session")
def website() -> dict[str, Any]:
    """Return the resources of a published client."""
    text = (ROOT / "infra" / "website.yaml").read_text()
    found: dict[str, Any] = YAMLTemplateSerializer().load_template(text)["Resources"]
    return found


def distribution(built: package.Package) -> dict[str, Any]:
    found: dict[str, Any] = built.template["Resources"]["WebDistribution"]["Properties"]
    config: dict[str, Any] = found["DistributionConfig"]
    return config


def behaviors(built: package.Package) -> dict[str, dict[str, Any]]:
    config = distribution(built)
    others = {one["PathPattern"]: one for one in config["CacheBehaviors"]}
    return {"*": config["DefaultCacheBehavior"], **others}


def test_only_assets_are_cached_and_only_over_https(built: package.Package) -> None:
    found = behaviors(built)
    assert {path: one["CachePolicyId"] for path, one in found.items()} == {
        "*": CACHING_DISABLED,
        "/assets/*": CACHING_OPTIMIZED,
        "/api/*": CACHING_DISABLED,
    }
    assert {path: one["ViewerProtocolPolicy"] for path, one in found.items()} == {
        "*": "redirect-to-https",
        "/assets/*": "redirect-to-https",
        "/api/*": "https-only",  # A redirect would come after the token was sent in the clear.
    }
    assert found["/assets/*"]["Compress"] is True


def test_api_behind_cloudfront_gets_every_method_query_and_header_at_its_own_paths(
    built: package.Package,
) -> None:
    behavior = behaviors(built)["/api/*"]
    assert set(behavior["AllowedMethods"]) == {
        "DELETE",
        "GET",
        "HEAD",
        "OPTIONS",
        "PATCH",
        "POST",
        "PUT",
    }
    assert behavior["OriginRequestPolicyId"] == ALL_VIEWER_EXCEPT_HOST_HEADER
    [origin] = [one for one in distribution(built)["Origins"] if one["Id"] == "api"]
    host = "${RestAPI}.execute-api.${AWS::Region}.${AWS::URLSuffix}"
    assert origin["DomainName"] == {"Fn::Sub": host}
    # /api is the stage, so the path needs no change.
    assert "OriginPath" not in origin
    assert gateway._API_STAGE == "api"
    assert origin["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"
    function = built.template["Resources"]["APIHandler"]["Properties"]
    assert origin["CustomOriginConfig"]["OriginReadTimeout"] > function["Timeout"]


def test_errors_of_the_api_never_become_pages(
    built: package.Package, website: dict[str, Any]
) -> None:
    assert "CustomErrorResponses" not in distribution(built)
    assert "CustomErrorResponses" not in json.dumps(website)


def test_files_of_the_web_app_have_the_headers_of_make_run_and_hsts(
    built: package.Package,
) -> None:
    resources = built.template["Resources"]
    config = resources["WebHeaders"]["Properties"]["ResponseHeadersPolicyConfig"]
    security = config["SecurityHeadersConfig"]
    custom = {one["Header"]: one["Value"] for one in config["CustomHeadersConfig"]["Items"]}
    expected = web.security_headers("${PhotoOrigin}")
    policy = {"Fn::Sub": expected.pop("Content-Security-Policy")}
    assert security["ContentSecurityPolicy"]["ContentSecurityPolicy"] == policy
    assert security["ReferrerPolicy"]["ReferrerPolicy"] == expected.pop("Referrer-Policy")
    assert expected.pop("X-Content-Type-Options") == "nosniff"
    assert security["ContentTypeOptions"] == {"Override": True}
    assert custom == expected
    assert security["FrameOptions"]["FrameOption"] == "DENY"
    assert security["StrictTransportSecurity"]["AccessControlMaxAgeSec"] >= 31_536_000
    for path, name in (
        ("*", "WebHeaders"),
        ("/assets/*", "WebHeaders"),
        ("/api/*", "WebApiHeaders"),
    ):
        assert behaviors(built)[path]["ResponseHeadersPolicyId"] == {"Ref": name}


@pytest.mark.parametrize("of_others", [False, True], ids=["web app", "published client"])
def test_bucket_of_files_is_private_and_only_its_distribution_reads_it(
    built: package.Package, website: dict[str, Any], of_others: bool
) -> None:
    resources, prefix = (website, "") if of_others else (built.template["Resources"], "Web")
    bucket = resources[f"{prefix}Bucket"]["Properties"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert "WebsiteConfiguration" not in bucket
    policy = resources[f"{prefix}BucketPolicy"]["Properties"]["PolicyDocument"]
    [statement] = policy["Statement"]
    assert statement["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert statement["Action"] == "s3:GetObject"
    arn = statement["Condition"]["StringEquals"]["AWS:SourceArn"]["Fn::Sub"]
    assert arn.endswith(f":distribution/${{{prefix}Distribution}}")
    found = resources[f"{prefix}Distribution"]["Properties"]["DistributionConfig"]
    [origin] = [one for one in found["Origins"] if one["Id"] == "files"]
    assert origin["OriginAccessControlId"] == {"Ref": f"{prefix}OriginAccess"}
    assert found["DefaultRootObject"] == "index.html"
    assert found["HttpVersion"] == "http2and3"


def test_superseded_files_are_removed_after_30_days_and_no_others(
    built: package.Package, website: dict[str, Any]
) -> None:
    for bucket in (built.template["Resources"]["WebBucket"], website["Bucket"]):
        [rule] = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
        assert rule["TagFilters"] == [{"Key": "superseded", "Value": "true"}]
        assert (rule["ExpirationInDays"], rule["Status"]) == (30, "Enabled")


def test_own_domain_needs_a_certificate_and_tls_1_2(built: package.Package) -> None:
    parameters, config = built.template["Parameters"], distribution(built)
    has_domain, with_domain, without = config["ViewerCertificate"]["Fn::If"]
    assert config["Aliases"]["Fn::If"][:2] == [has_domain, [{"Ref": "WebDomain"}]]
    assert with_domain["AcmCertificateArn"] == {"Ref": "WebCertificateArn"}
    assert with_domain["MinimumProtocolVersion"] == "TLSv1.2_2021"
    assert without == {"CloudFrontDefaultCertificate": True}
    [assertion] = built.template["Rules"]["DomainHasCertificate"]["Assertions"]
    assert assertion["Assert"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "WebCertificateArn"}, ""]}]}
    domain = parameters["WebDomain"]["AllowedPattern"]
    certificate = parameters["WebCertificateArn"]["AllowedPattern"]
    assert re.fullmatch(domain, "album.example.com")
    assert not re.fullmatch(domain, "https://album.example.com")
    for region, fits in (("us-east-1", True), ("eu-west-1", False)):
        arn = f"arn:aws:acm:{region}:123456789012:certificate/1a2b"
        assert bool(re.fullmatch(certificate, arn)) is fits
    assert re.fullmatch(domain, "")
    assert re.fullmatch(certificate, "")


def test_names_that_are_global_in_cloudfront_contain_the_stage_and_the_region(
    built: package.Package, website: dict[str, Any]
) -> None:
    for resources in (built.template["Resources"], website):
        for one in resources.values():
            if re.search("OriginAccessControl|ResponseHeadersPolicy|Function$", one["Type"]):
                if not one["Type"].startswith("AWS::CloudFront"):
                    continue
                properties = one["Properties"]
                configs = [value for key, value in properties.items() if key.endswith("Config")]
                name = (properties.get("Name") or configs[0]["Name"])["Fn::Sub"]
                assert {"${AWS::StackName}", "${AWS::Region}"} <= set(
                    re.findall(r"\$\{.*?\}", name)
                )
                assert (
                    len(name.replace("${AWS::StackName}", "cloudalbum-" + 15 * "x" + "-app")) < 64
                )
