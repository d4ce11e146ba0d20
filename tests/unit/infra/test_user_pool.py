"""The user pool in the data stack's template: its trigger, client and hosted pages.

The emulator runs the trigger for tokens, but passes it no client metadata. So its code runs here,
with events as Cognito sends them (Amazon Cognito Developer Guide, "Pre sign-up Lambda trigger" and
"Pre token generation Lambda trigger").
"""

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from chalicelib.accounts import cognito
from infra.provision import TEMPLATE

SCOPE = "aws.cognito.signin.user.admin"
Event = dict[str, Any]


class Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Reads CloudFormation's short form, such as !If, as a dictionary with the tag as its key."""


def read_tag(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        return {tag: loader.construct_scalar(node)}
    assert isinstance(node, yaml.SequenceNode)
    return {tag: loader.construct_sequence(node, deep=True)}


Loader.add_multi_constructor("!", read_tag)
# The loader is that of PyYAML's safe_load, with only the tags above in addition.
DATA = yaml.load(TEMPLATE.read_text(), Loader)
RESOURCES = DATA["Resources"]
NOTHING = {"Ref": "AWS::NoValue"}


@pytest.fixture(scope="module")
def trigger() -> Callable[[Event], Event]:
    """Return the handler of the pool's trigger."""
    properties = RESOURCES["UserPoolTrigger"]["Properties"]
    assert properties["Handler"] == "index.handle"
    module: dict[str, Any] = {}
    exec(properties["Code"]["ZipFile"], module)
    return lambda event: module["handle"](event, None)


def event(source: str, **request: Any) -> Event:
    """Return an event as Cognito sends it to a trigger."""
    return {
        "version": "2" if source.startswith("TokenGeneration_") else "1",
        "triggerSource": source,
        "region": "eu-west-1",
        "userPoolId": "eu-west-1_Pool",
        "userName": "sub-1",
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": "client"},
        "request": {"userAttributes": {"email": "a@example.com"}} | request,
        "response": {},
    }


def test_trigger_accepts_a_sign_up_of_the_api(trigger: Callable[[Event], Event]) -> None:
    sent = event(
        "PreSignUp_SignUp", validationData=None, clientMetadata=dict(cognito._SIGN_UP_MARK)
    )
    response = trigger(sent)["response"]
    assert not response.get("autoConfirmUser")
    assert not response.get("autoVerifyEmail")


def test_trigger_accepts_a_user_that_an_operator_creates(
    trigger: Callable[[Event], Event],
) -> None:
    assert trigger(event("PreSignUp_AdminCreateUser"))["response"] == {}


@pytest.mark.parametrize(
    "sent",
    [
        event("PreSignUp_SignUp", validationData=None),  # a hosted page
        event("PreSignUp_SignUp", clientMetadata=None),
        event("PreSignUp_SignUp", clientMetadata={"source": "other"}),
        event("PreSignUp_SignUp", validationData={"source": "cloudalbum-api"}),
        event("PreSignUp_ExternalProvider", clientMetadata={"source": "cloudalbum-api"}),
    ],
    ids=str,
)
def test_trigger_rejects_a_sign_up_that_does_not_come_through_the_api(
    trigger: Callable[[Event], Event], sent: Event
) -> None:
    with pytest.raises(ValueError, match=r"client|supported"):
        trigger(sent)


@pytest.mark.parametrize(
    "source",
    ["Authentication", "RefreshTokens", "HostedAuth", "NewPasswordChallenge", "AuthenticateDevice"],
)
def test_trigger_keeps_the_scope_of_cognito_out_of_every_access_token(
    trigger: Callable[[Event], Event], source: str
) -> None:
    sent = event(f"TokenGeneration_{source}", scopes=[SCOPE], groupConfiguration={})
    sent["response"] = {"claimsAndScopeOverrideDetails": None}
    assert trigger(sent)["response"] == {
        "claimsAndScopeOverrideDetails": {"accessTokenGeneration": {"scopesToSuppress": [SCOPE]}}
    }


def test_pool_runs_the_trigger_for_tokens_everywhere_and_for_sign_ups_on_aws() -> None:
    pool, arn = RESOURCES["UserPool"]["Properties"], {"GetAtt": "UserPoolTrigger.Arn"}
    assert pool["LambdaConfig"] == {
        "PreTokenGenerationConfig": {"LambdaVersion": "V2_0", "LambdaArn": arn},
        "PreSignUp": {"If": ["RejectsHttp", arn, NOTHING]},
    }
    assert pool["UserPoolTier"] == "ESSENTIALS"
    permission = RESOURCES["UserPoolTriggerPermission"]["Properties"]
    assert permission["Principal"] == "cognito-idp.amazonaws.com"
    assert permission["SourceArn"] == {"GetAtt": "UserPool.Arn"}


def test_trigger_may_only_write_its_own_log() -> None:
    role = RESOURCES["UserPoolTriggerRole"]["Properties"]
    [policy] = role["Policies"]
    [statement] = policy["PolicyDocument"]["Statement"]
    assert set(statement["Action"]) == {"logs:CreateLogStream", "logs:PutLogEvents"}
    assert statement["Resource"] == {"GetAtt": "UserPoolTriggerLogs.Arn"}
    assert "ManagedPolicyArns" not in role


def test_pool_has_a_client_secret_and_no_hosted_pages_unless_they_are_chosen() -> None:
    assert DATA["Parameters"]["HostedPages"]["Default"] == "false"
    client = RESOURCES["UserPoolClient"]["Properties"]
    assert client["GenerateSecret"] is True
    assert client["AllowedOAuthFlowsUserPoolClient"] == {"If": ["HasHostedPages", True, False]}
    for name in ("AllowedOAuthFlows", "AllowedOAuthScopes", "CallbackURLs"):
        [condition, chosen, otherwise] = client[name]["If"]
        assert (condition, otherwise) == ("HasHostedPages", NOTHING)
        assert SCOPE not in chosen
    assert RESOURCES["UserPoolDomain"]["Condition"] == "HasHostedPages"
    # A domain that the stack retained would keep its pages.
    assert "DeletionPolicy" not in RESOURCES["UserPoolDomain"]
