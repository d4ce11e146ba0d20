"""The alarms in the template that AWS deploys: no emulator raises any."""

from typing import Any

from infra import package

NO_VALUE = {"Ref": "AWS::NoValue"}


def alarms(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the properties of each alarm, by its logical name."""
    return {
        name: one["Properties"]
        for name, one in template["Resources"].items()
        if one["Type"] == "AWS::CloudWatch::Alarm"
    }


def test_every_alarm_watches_something_that_exists(built: package.Package) -> None:
    resources = built.template["Resources"]
    # API Gateway ignores the name of an imported API: its title is what its metrics have.
    title = resources["RestAPI"]["Properties"]["DefinitionBody"]["info"]["title"]
    for name, alarm in alarms(built.template).items():
        [dimension] = alarm["Dimensions"]
        if alarm["Namespace"] == "AWS/ApiGateway":
            assert dimension == {"Name": "ApiName", "Value": title}, name
        else:
            assert (alarm["Namespace"], dimension["Name"]) == ("AWS/Lambda", "FunctionName"), name
            function = resources[dimension["Value"]["Ref"]]
            assert function["Type"] == "AWS::Serverless::Function", name
    assert title == resources["RestAPI"]["Properties"]["Name"]


def test_every_alarm_is_emailed_to_the_owner(built: package.Package) -> None:
    resources = built.template["Resources"]
    for alarm in alarms(built.template).values():
        topic, other = alarm["AlarmActions"]
        assert topic == {"Ref": "AlarmTopic"}
        assert other == {"Fn::If": ["SendsAlarms", {"Ref": "AlarmTopicArn"}, NO_VALUE]}
    subscription = resources["AlarmSubscription"]
    assert subscription["Condition"] == "EmailsAlarms"
    assert subscription["Properties"] == {
        "TopicArn": {"Ref": "AlarmTopic"},
        "Protocol": "email",
        "Endpoint": {"Ref": "AlarmEmail"},
    }


def test_alarm_is_raised_when_the_daily_check_fails_and_when_it_does_not_run(
    built: package.Package,
) -> None:
    failed, not_run = (
        alarms(built.template)[name] for name in ("IntegrityAlarm", "IntegrityNotRunAlarm")
    )
    for alarm in (failed, not_run):
        assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": "CheckIntegrity"}}]
    assert (failed["MetricName"], failed["Threshold"]) == ("Errors", 0)
    assert (not_run["MetricName"], not_run["Statistic"]) == ("Invocations", "Sum")
    assert (not_run["ComparisonOperator"], not_run["Threshold"]) == ("LessThanThreshold", 1)
    # Lambda sends no zeros: hours without a run have no data.
    assert not_run["TreatMissingData"] == "breaching"
    hours = not_run["Period"] * not_run["EvaluationPeriods"] / 3600
    # A run a little later than a day ago must not raise it. AWS evaluates at most seven days.
    assert 24 < hours < 48
