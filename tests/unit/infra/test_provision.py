"""What an operator chooses for a stage, and who owns it."""

import io
import json
from typing import Any
from unittest import mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.settings import Settings, load_settings, settings_from_environment, to_environment
from infra import account, choices, provision
from infra.errors import OperatorError, exit_code
from tests.support.fake_aws import OUTPUTS, FakeAws

OWNER = "you@example.com"
# What earlier versions wrote.
EARLIER = {"S3_PRESIGNED_EXP": "3600", "SIGNUP_CONFIRMATION": "auto", "MAX_PHOTOS": "7"}


class Terminal(io.StringIO):
    """A terminal into which a text is typed."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("typed@example.com\n"))


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("S3_PRESIGNED_EXP", "0", "must be a whole number from 1 to 21600, not 0."),
        ("S3_PRESIGNED_EXP", "21601", "must be a whole number from 1 to 21600, not 21601."),
        (
            "ORIGINALS_STORAGE_CLASS",
            "DEEP_ARCHIVE",
            "must be one of STANDARD, INTELLIGENT_TIERING, STANDARD_IA, GLACIER_IR, "
            "not DEEP_ARCHIVE.",
        ),
        ("THUMBNAIL_WIDTH", "5000", "must be a whole number from 1 to 4096, not 5000."),
        ("MAX_STORAGE_BYTES", "10GB", "must be a whole number from 0 to 1000000000000000"),
        ("DDB_RCU", "-1", "must be a whole number from 0 to 1000000000, not -1."),
        ("BUDGET_USD", "9.99", "must be a whole number, not 9.99."),
        ("SIGNUP_CONFIRMATION", "sms", "must be auto or email, not sms."),
        ("CALLBACK_URL", "localhost", "must be a URL of at most 490 characters after https://"),
        ("CALLBACK_URL", "https://example.com/\u00e9", "must be a URL of at most 490 characters"),
        ("CALLBACK_URL", "https://example.com/" + "x" * 490, "must be a URL of at most 490"),
        ("KEEP_DELETED_DAYS", "\u0663", "must be a whole number from 0 to 35"),
        ("MAX_PHOTOS", "\u0663", "must be a whole number from 0 to 1000000000"),
        ("MAX_PHOTOS", "1e3", "must be a whole number from 0 to 1000000000"),
        ("OWNER", "you", "must be an email address, such as you@example.com, not you."),
        ("OWNER", "@example.com", "must be an email address"),
        ("OWNER", "*@example.com", "must be an email address"),
        ("SIGNUP_ALLOWED", "mario", "must be a comma-separated list of email addresses and"),
        ("SIGNUP_ALLOWED", "a@example.com,@example", "must be a comma-separated list of email"),
        ("SIGNUP_ALLOWED", ",".join(["mario@example.com"] * 150), "at most 2,500 characters"),
    ],
)
def test_invalid_choice_is_rejected_in_one_line_before_aws_is_called(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    value: str,
    expected: str,
) -> None:
    def no_session() -> None:
        raise AssertionError("AWS was called")

    monkeypatch.setattr(account, "session", no_session)
    monkeypatch.setenv(name, value)
    assert exit_code(provision.main) == 1
    printed = capsys.readouterr().err
    assert expected in printed
    assert printed.startswith(name)
    assert printed.count("\n") == 1


def test_without_terminal_and_owner_nothing_is_created_on_aws() -> None:
    aws = FakeAws()
    with pytest.raises(OperatorError) as error:
        aws.provision()
    assert str(error.value) == (
        "The owner's email address is missing: run `make provision OWNER=you@example.com`."
    )
    assert (aws.parameters, aws.stack) == ({}, None)


@pytest.mark.parametrize("typed", ["\n", "you\n", "a@example.com,b@example.com\n", "-\n", ""])
def test_owner_that_is_not_an_address_creates_nothing(
    monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    aws = FakeAws()
    with pytest.raises(OperatorError, match="OWNER must be an email address"):
        aws.provision()
    assert (aws.parameters, aws.stack) == ({}, None)


def test_first_provision_on_aws_asks_for_the_owner_who_alone_may_sign_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("Typed@example.com\n"))
    aws = FakeAws()
    aws.provision()
    assert capsys.readouterr().out.startswith("Email address of the owner")
    assert aws.stack is not None
    assert aws.stack["OwnerEmail"] == "Typed@example.com"
    assert aws.parameters["SIGNUP_ALLOWED"] == "typed@example.com"

    # Later provisions do not ask again, whether the parameters are still there or not.
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert "written" not in aws.provision(overwrite=True)
    aws.parameters.clear()
    aws.provision()
    assert aws.stack["OwnerEmail"] == "Typed@example.com"
    assert aws.parameters["SIGNUP_ALLOWED"] == "typed@example.com"


def test_owner_answers_the_prompt_and_confirmation_budget_and_class_have_safe_defaults() -> None:
    aws = FakeAws()
    assert "is auto" not in aws.provision(OWNER=OWNER)
    assert aws.stack is not None
    expected = {"OwnerEmail": OWNER, "BudgetUsd": "10", "SignupConfirmation": "email"}
    assert aws.stack | expected == aws.stack
    expected = {
        "OWNER": OWNER,
        "SIGNUP_ALLOWED": OWNER,
        "SIGNUP_CONFIRMATION": "email",
        "ORIGINALS_STORAGE_CLASS": "INTELLIGENT_TIERING",
    }
    assert aws.parameters | expected == aws.parameters


def test_in_the_embedded_aws_everyone_may_sign_up_and_nothing_is_asked() -> None:
    aws = FakeAws()
    assert "is auto" not in aws.provision(emulated=True)
    expected = {"SIGNUP_ALLOWED": "*", "SIGNUP_CONFIRMATION": "auto", "OWNER": "-"}
    assert aws.parameters | expected == aws.parameters
    assert aws.stack is not None
    assert (aws.stack["OwnerEmail"], aws.stack["BudgetUsd"]) == ("", "0")


@pytest.mark.parametrize(
    ("chosen", "stored"),
    [
        ("*", "*"),
        ("-", "-"),
        ("@Example.org, luigi@example.com,", f"{OWNER},@example.org,luigi@example.com"),
        (f"luigi@example.com,{OWNER.upper()}", f"{OWNER},luigi@example.com"),
    ],
)
def test_owner_is_the_first_who_may_sign_up_unless_everyone_or_no_one_may(
    chosen: str, stored: str
) -> None:
    aws = FakeAws()
    aws.provision(OWNER=OWNER, SIGNUP_ALLOWED=chosen)
    assert aws.parameters["SIGNUP_ALLOWED"] == stored
    # Who may sign up later is what the operator says.
    aws.provision(SIGNUP_ALLOWED="luigi@example.com", overwrite=True)
    assert aws.parameters["SIGNUP_ALLOWED"] == "luigi@example.com"


def test_stage_of_an_earlier_version_is_asked_for_its_owner_and_keeps_its_confirmation() -> None:
    aws = FakeAws(dict(EARLIER), {"SignupConfirmation": "auto"})
    with pytest.raises(OperatorError, match="owner's email address is missing"):
        aws.provision()
    assert aws.parameters == EARLIER
    printed = aws.provision(OWNER=OWNER)
    assert "/cloudalbum-prod/SIGNUP_CONFIRMATION is auto: new accounts do not confirm" in printed
    assert aws.parameters | EARLIER == aws.parameters
    assert aws.parameters["SIGNUP_ALLOWED"] == OWNER
    assert aws.stack is not None
    assert (aws.stack["OwnerEmail"], aws.stack["SignupConfirmation"]) == (OWNER, "auto")
    assert "is auto" not in aws.provision(SIGNUP_CONFIRMATION="email", overwrite=True)
    assert aws.stack["SignupConfirmation"] == "email"


def test_stored_choice_that_is_no_longer_valid_is_rejected_before_anything_is_changed() -> None:
    before = EARLIER | {"S3_PRESIGNED_EXP": "604800"}
    aws = FakeAws(dict(before), {})
    with pytest.raises(OperatorError) as error:
        aws.provision(OWNER=OWNER, S3_PRESIGNED_EXP="3600")
    assert str(error.value) == (
        "S3_PRESIGNED_EXP must be a whole number from 1 to 21600, not 604800. Replace it with "
        "S3_PRESIGNED_EXP=VALUE OVERWRITE=1."
    )
    assert (aws.parameters, aws.stack) == (before, {})
    aws.provision(OWNER=OWNER, S3_PRESIGNED_EXP="21600", overwrite=True)
    assert aws.parameters["S3_PRESIGNED_EXP"] == "21600"


def test_command_provisions_the_stage_with_what_the_environment_chooses(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Session:
        region_name = "eu-west-1"
        aws = FakeAws()

        def client(self, service: str) -> Any:
            return self.aws.make_client(service)

    monkeypatch.setattr(account, "session", Session)
    for name, value in {"STAGE": "prod", "OWNER": OWNER, "BUDGET_USD": "25"}.items():
        monkeypatch.setenv(name, value)
    provision.main()
    assert Session.aws.stack is not None
    assert Session.aws.stack["BudgetUsd"] == "25"
    assert "/cloudalbum-prod/OWNER written" in capsys.readouterr().out


def test_every_choice_has_a_valid_default() -> None:
    for name, value in (choices.CHOICES | choices.AWS_DEFAULTS).items():
        choices.check(name, value)
    assert choices.STACK_PARAMETERS.keys() | choices.AWS_DEFAULTS.keys() <= choices.CHOICES.keys()


def settings_of(choice: dict[str, Any]) -> tuple[Settings, Settings]:
    """Return what the app reads of a provisioned stage: from the environment, and from AWS."""
    aws = FakeAws()
    aws.provision(**{"OWNER": OWNER} | choice)
    path = "/cloudalbum-prod/"

    def parsed(value: str) -> Any:
        try:
            return json.loads(value)  # as aws_parameter_store does
        except ValueError:
            return value

    store = mock.Mock()
    store.get_parameters_dict.return_value = {
        name: parsed(value) for name, value in aws.parameters.items()
    }
    with mock.patch.dict("os.environ", to_environment(aws.parameters, path)):
        from_environment = settings_from_environment()
    assert from_environment is not None
    return from_environment, load_settings(store, path)


ANY_VALUE = st.one_of(
    st.integers(-10, 10**16).map(str),
    st.sampled_from([4096, 4097, 21_600, 21_601, 10**9, 10**9 + 1, 10**15]).map(str),
    st.from_regex(r"\A0{0,3}[0-9]{1,3}\Z"),
    st.from_regex(r"\Ahttps?://\S{1,20}\Z"),
    st.lists(st.sampled_from(["*", "-", "a@example.com", "@b.org", "", " ", "c"])).map(",".join),
    st.sampled_from(["auto", "email", "true", "false", "null", "STANDARD", "GLACIER_IR", "1.5"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)


@pytest.mark.parametrize("name", choices.CHOICES)
@given(value=ANY_VALUE)
@example(value="0")
@example(value="5000")
@example(value="-")
@example(value="\u0663")
@example(value="https://example.com/#\x00")
def test_app_accepts_whatever_provision_accepts(name: str, value: str) -> None:
    try:
        choices.check(name, value)
    except OperatorError:
        return
    if name == "OWNER" and value == choices.EMPTY:
        return  # The owner is asked for.
    from_environment, from_aws = settings_of({name: value})
    assert from_environment == from_aws


def test_functions_have_room_for_the_longest_choices() -> None:
    longest: dict[str, Any] = {
        "SIGNUP_ALLOWED": ",".join([OWNER, *["@" + "x" * 60 + ".com"] * 60])[:2_490] + ".com",
        "CALLBACK_URL": "https://" + "x" * 490,
        "MAX_STORAGE_BYTES": str(10**15),
        "MAX_PHOTOS": str(10**9),
    }
    for name, value in longest.items():
        choices.check(name, value)
    aws = FakeAws()
    aws.provision(OWNER=OWNER, **longest)
    names = {"PhotoBucketName": "S3_PHOTO_BUCKET", "UserPoolDomain": "COGNITO_DOMAIN"}
    aws.parameters |= {name: "x" * 63 + OUTPUTS[key] for key, name in names.items()}
    variables = to_environment(aws.parameters, "/cloudalbum-prod/") | {
        "SETTINGS_VERSION": "0" * 64,
        "CLOUDALBUM_PARAMETER_PATH": "/cloudalbum-abcdefghijklmno/",
        "CORS_ALLOW_ORIGIN": "https://album.example.com",
        "AUTHORIZER_TTL_SECONDS": "3600",
    }
    assert sum(len(name) + len(value) for name, value in variables.items()) <= 4_096
