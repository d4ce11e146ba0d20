"""The environment and the stack parameters of a deployment."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest

from chalicelib import __version__
from infra import account, deploy, package, stacks
from infra.errors import OperatorError
from infra.stages import Stage
from tests.support.stubs import stubbed


def parameters(**values: str) -> list[dict[str, Any]]:
    return [
        {"Name": f"/cloudalbum/{name}", "Value": value, "Version": 1, "Type": "SecureString"}
        for name, value in values.items()
    ]


def environment(stored: list[dict[str, Any]]) -> dict[str, str]:
    with stubbed("ssm") as stubber:
        stubber.add_response("get_parameters_by_path", {"Parameters": stored})
        return deploy._environment(stubber.client, "/cloudalbum/")


def test_environment_has_all_parameters_except_the_secret_and_changes_with_it() -> None:
    stored = parameters(
        S3_PHOTO_BUCKET="pictures",
        S3_PRESIGNED_EXP="3600",
        COGNITO_POOL_ID="eu-west-1_Pool",
        COGNITO_CLIENT_ID="client",
        COGNITO_CLIENT_SECRET="very-secret",
        COGNITO_DOMAIN="-",
        THUMBNAIL_WIDTH="300",
        THUMBNAIL_HEIGHT="200",
        AWS_REGION="eu-west-1",
        DDB_RCU="0",
        DDB_WCU="0",
    )
    before = environment(stored)
    assert '"COGNITO_CLIENT_ID":"client"' in before["CLOUDALBUM_SETTINGS"]
    assert "secret" not in str(before).lower()
    assert environment(stored) == before
    [secret] = [one for one in stored if one["Name"].endswith("SECRET")]
    secret |= {"Value": "another", "Version": 2}
    assert environment(stored) != before


def test_deployment_without_a_parameter_names_the_missing_one() -> None:
    with pytest.raises(OperatorError, match="/cloudalbum/COGNITO_POOL_ID is missing"):
        environment(parameters(S3_PHOTO_BUCKET="pictures"))


DATA = {
    "PackageBucketName": "packages",
    "PhotoBucketName": "photos",
    "PhotoTableName": "Photo",
    "UserTableName": "User",
    "UserPoolId": "eu-west-1_Pool",
}
# Those that `deploy` sets, those that an operator may set, and one that describes the account.
DECLARED: dict[str, Any] = {
    "Stage": {"Type": "String"},
    "AlarmEmail": {"Type": "String", "Default": ""},
    "CreateGatewayLogRole": {"Type": "String", "Default": "false"},
    "SignInRate": {"Type": "Number", "Default": 10},
    "ThrottleRate": {"Type": "Number", "Default": 200},
    "Waf": {"Type": "String", "Default": "false"},
}


SETTINGS = SimpleNamespace(
    photo_bucket="photos",
    region="eu-west-1",
    signup_allowed=frozenset({"owner@example.com"}),
    confirms_by_email=True,
)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> mock.MagicMock:
    """Return the clients of an AWS account where the data stack exists."""
    clients = mock.MagicMock()
    clients("s3").generate_presigned_url.return_value = "https://packages.example.com/key?query"
    clients("apigateway").get_account.return_value = {"cloudwatchRoleArn": "arn:of-another-stage"}
    monkeypatch.setattr(account, "emulated", lambda: False)
    monkeypatch.setattr(deploy, "_environment", lambda ssm, path: {})
    monkeypatch.setattr(deploy, "stage_settings", lambda ssm, path: SETTINGS)
    for name in ("PARAMETERS", "WAF"):
        monkeypatch.delenv(name, raising=False)
    return clients


def given_parameters(aws: mock.MagicMock, tmp_path: Path, **more: str) -> dict[str, str]:
    """Deploy, and return the parameters that the app's stack is given; the others keep theirs."""
    (tmp_path / "zip").write_bytes(b"")
    built = package.Package(tmp_path / "zip", {"Parameters": DECLARED, "Resources": {}})
    outputs = [DATA | more, {"EndpointURL": "https://api.example.com/api/", "WebBucketName": "web"}]
    with (
        mock.patch.object(stacks, "outputs", side_effect=outputs),
        mock.patch.object(stacks, "deploy", return_value="updated") as updated,
    ):
        deploy.deploy(aws, Stage("dev"), built, {"index.html": b"page"})
    given: dict[str, str] = updated.call_args.args[3]
    return given


def test_deployment_of_a_stage_that_is_not_provisioned_builds_no_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STAGE", "dev")
    with (
        mock.patch.object(account, "session"),
        mock.patch.object(stacks, "outputs", return_value=None),
        mock.patch.object(package, "build") as build,
        pytest.raises(OperatorError, match="Run `make provision STAGE=dev`"),
    ):
        deploy.main()
    assert not build.called


def test_deployment_publishes_the_web_app_with_the_path_of_the_api_and_how_people_sign_up(
    aws: mock.MagicMock, tmp_path: Path
) -> None:
    given = given_parameters(aws, tmp_path)
    assert given["PhotoOrigin"] == "https://photos.s3.eu-west-1.amazonaws.com"
    puts = [call.kwargs for call in aws("s3").put_object.call_args_list]
    web = {one["Key"]: one for one in puts if one["Bucket"] == "web"}
    config = json.loads(web["config.json"]["Body"])
    assert config == {"api": "/api", "signup": True, "confirmation": True}
    assert list(web)[-1] == "index.html"
    assert {one["CacheControl"] for one in web.values()} == {"no-cache"}


def test_alarms_are_sent_to_the_owner_of_the_data_stack(
    aws: mock.MagicMock, tmp_path: Path
) -> None:
    owner = "owner@example.com"
    assert given_parameters(aws, tmp_path, OwnerEmail=owner)["AlarmEmail"] == owner
    assert given_parameters(aws, tmp_path)["AlarmEmail"] == ""


def test_operator_chooses_stack_parameters_and_deployments_keep_them(
    aws: mock.MagicMock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARAMETERS", "SignInRate=5  ThrottleRate=50")
    monkeypatch.setenv("WAF", "true")
    given = given_parameters(aws, tmp_path)
    assert (given["SignInRate"], given["ThrottleRate"], given["Waf"]) == ("5", "50", "true")
    for name in ("PARAMETERS", "WAF"):
        monkeypatch.delenv(name)
    assert not {"SignInRate", "ThrottleRate", "Waf"} & given_parameters(aws, tmp_path).keys()


@pytest.mark.parametrize("name", ["SigninRate", "Stage", "AlarmEmail", "CreateGatewayLogRole"])
def test_parameter_that_an_operator_cannot_choose_is_rejected_with_those_that_exist(
    aws: mock.MagicMock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("PARAMETERS", f"{name}=1")
    expected = f"PARAMETERS has {name}. Use SignInRate, ThrottleRate, Waf."
    with pytest.raises(OperatorError, match=f"^{expected}$"):
        given_parameters(aws, tmp_path)


def test_first_deployment_of_a_region_creates_the_role_with_which_gateways_write_logs(
    aws: mock.MagicMock, tmp_path: Path
) -> None:
    # Another stage's role is left as it is: all APIs of the account and region share it.
    assert "CreateGatewayLogRole" not in given_parameters(aws, tmp_path)
    aws("apigateway").get_account.return_value = {"throttleSettings": {}}
    assert given_parameters(aws, tmp_path)["CreateGatewayLogRole"] == "true"


class Api:
    """An API that responds to /health with each package in order, then always with the last."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *packages: str | None) -> None:
        self.packages = list(packages)
        self.now = 0.0
        monkeypatch.setattr(deploy, "_get", self.get)
        monkeypatch.setattr("time.monotonic", lambda: self.now)
        monkeypatch.setattr("time.sleep", self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def get(self, url: str, token: str | None) -> tuple[int, dict[str, Any]]:
        if url.endswith("/photos"):
            return (403 if token else 401), {}
        package_id = self.packages.pop(0) if len(self.packages) > 1 else self.packages[0]
        return 200, {"ok": True, "version": __version__, "package": package_id}


@pytest.mark.parametrize("running", ["old", None])
def test_deployment_fails_if_a_function_still_runs_another_package_of_the_same_version(
    monkeypatch: pytest.MonkeyPatch, running: str | None
) -> None:
    api = Api(monkeypatch, running)
    with pytest.raises(OperatorError, match=f"returned the package {running}, not new. Deploy"):
        deploy.smoke_test("https://api", "new")
    assert api.now > deploy._SMOKE_SECONDS


def test_deployment_waits_until_its_package_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api(monkeypatch, "old", "old", "new")
    deploy.smoke_test("https://api", "new")
    assert api.now == 2


def test_deployment_fails_if_the_api_accepts_an_invalid_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    api = Api(monkeypatch, "new")
    monkeypatch.setattr(
        deploy, "_get", lambda url, token: (200, {}) if token else api.get(url, token)
    )
    with pytest.raises(OperatorError, match=r"^GET /photos returned 200, not 403\."):
        deploy.smoke_test("https://api", "new")


def test_package_id_is_that_of_all_files(tmp_path: Path) -> None:
    def package_of(**files: str) -> package.Package:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        (folder / "chalicelib").mkdir(parents=True)
        for name, content in files.items():
            (folder / name).write_text(content)
        package.write_id(folder)
        package.pack(folder, folder.with_suffix(".zip"))
        return package.Package(folder.with_suffix(".zip"), {})

    ids = [
        package_of(**files).id
        for files in ({"a": "1", "b": "2"}, {"a": "2", "b": "1"}, {"a": "1"}, {"a": "1", "c": "2"})
    ]
    assert len(set(ids)) == 4
    assert package_of(b="2", a="1").id == ids[0]
