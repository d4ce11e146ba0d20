"""The template that AWS deploys: Chalice's, merged with app.yaml, with exact permissions.

`python -m infra.sam FILE` writes it without building the package; `make lint` checks that.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

import yaml

from chalicelib.settings import cors_allow_origin
from infra import account, cloudfront, gateway
from infra.errors import OperatorError, exit_code
from infra.stages import Stage

_ROOT = Path(__file__).parent.parent
_MERGED = Path(__file__).with_name("app.yaml")

# The policies in .chalice name resources by patterns; the template names each one exactly.
_HERE = "${AWS::Region}:${AWS::AccountId}"
_EXACT = {
    "arn:aws:ssm:*:*:parameter/cloudalbum/COGNITO_CLIENT_SECRET": (
        f"ssm:{_HERE}:parameter${{ParameterPath}}/COGNITO_CLIENT_SECRET"
    ),
    "arn:aws:cognito-idp:*:*:userpool/*": f"cognito-idp:{_HERE}:userpool/${{UserPoolId}}",
    "arn:aws:dynamodb:*:*:table/User": f"dynamodb:{_HERE}:table/${{UserTable}}",
    "arn:aws:dynamodb:*:*:table/Photo": f"dynamodb:{_HERE}:table/${{PhotoTable}}",
    "arn:aws:dynamodb:*:*:table/Photo/index/by_taken": (
        f"dynamodb:{_HERE}:table/${{PhotoTable}}/index/by_taken"
    ),
    "arn:aws:s3:::cloudalbum-dev-photos-*": "s3:::${PhotoBucket}",
    "arn:aws:s3:::cloudalbum-dev-photos-*/photos/*": "s3:::${PhotoBucket}/photos/*",
    "arn:aws:s3:::cloudalbum-dev-photos-*/photos/*/previews/*": (
        "s3:::${PhotoBucket}/photos/*/previews/*"
    ),
    "arn:aws:s3:::cloudalbum-dev-photos-*/photos/*/thumbnails/*": (
        "s3:::${PhotoBucket}/photos/*/thumbnails/*"
    ),
    "arn:aws:s3:::cloudalbum-dev-photos-*/uploads/*": "s3:::${PhotoBucket}/uploads/*",
    "arn:aws:logs:*:*:log-group:/aws/lambda/cloudalbum-dev*": (
        f"logs:{_HERE}:log-group:/aws/lambda/${{AWS::StackName}}-*"
    ),
}


def run_chalice(stage: Stage, project: Path, folder: Path, environment: dict[str, str]) -> None:
    """Run `chalice package` for a project, which writes into a folder. Raises OperatorError."""
    chalice = Path(sysconfig.get_path("scripts")) / "chalice"
    command = [str(chalice), "package", "--stage", stage.name]
    run = subprocess.run(
        [*command, "--merge-template", str(_MERGED), str(folder)],
        cwd=project,
        # Chalice requires a region; the package is the same for all of them.
        env=os.environ
        | environment
        | {"AWS_DEFAULT_REGION": os.environ.get("AWS_DEFAULT_REGION", "us-east-1")},
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode != 0:
        raise OperatorError(f"chalice package failed:\n{run.stdout}{run.stderr}")


def template_alone(stage: Stage) -> dict[str, Any]:
    """Return the template of a stage without building its package. Raises OperatorError."""
    with tempfile.TemporaryDirectory() as folder:
        project, written = Path(folder, "project"), Path(folder, "written")
        (project / ".chalice").mkdir(parents=True)
        for path in (_ROOT / ".chalice").glob("*.json"):
            shutil.copy(path, project / ".chalice")
        shutil.copy(_ROOT / "app.py", project)
        (project / "chalicelib").symlink_to(_ROOT / "chalicelib")
        # Without dependencies, Chalice has nothing to download.
        (project / "requirements.txt").touch()
        run_chalice(stage, project, written, {})
        return finished_template(stage, written)


def finished_template(stage: Stage, folder: Path) -> dict[str, Any]:
    """Return what Chalice wrote into a folder, with the stage's settings and exact permissions.

    Raises OperatorError.
    """
    template: dict[str, Any] = yaml.safe_load((folder / "sam.yaml").read_text())
    resources = template["Resources"]
    for role in of_type(template, "AWS::IAM::Role"):
        for policy in role["Properties"].get("Policies", []):
            document = policy["PolicyDocument"]
            # Only `chalice deploy` needs it: `make deploy` puts the settings into the environment.
            needed = [one for one in document["Statement"] if one["Sid"] != "Settings"]
            document["Statement"] = needed
            for statement in needed:
                statement["Resource"] = [_exact(arn) for arn in statement["Resource"]]
    origin = cors_allow_origin()
    resources["RestAPI"]["Properties"]["GatewayResponses"] = gateway.sam_responses(origin)
    for function in of_type(template, "AWS::Serverless::Function"):
        environment = function["Properties"].setdefault("Environment", {})
        variables = environment.setdefault("Variables", {})
        variables["CLOUDALBUM_PARAMETER_PATH"] = stage.parameter_path
        variables["CORS_ALLOW_ORIGIN"] = origin
    cloudfront.add_response_headers(template)
    # Chalice 1.34 misspells the function's logical ID here, which CloudFormation rejects.
    log_group = resources["ApiHandlerLogGroup"]["Properties"]
    log_group["LogGroupName"] = {"Fn::Sub": "/aws/lambda/${APIHandler}"}
    return template


def of_type(template: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """Return the resources of one type."""
    return [one for one in template["Resources"].values() if one["Type"] == kind]


def _exact(arn: str) -> Any:
    if arn == "*":
        return arn
    if arn not in _EXACT:
        raise OperatorError(f"A policy in .chalice names {arn}: add its exact ARN to infra/sam.py.")
    return {"Fn::Sub": f"arn:${{AWS::Partition}}:{_EXACT[arn]}"}


def main() -> None:
    """Write the template of the stage that STAGE names into a file."""
    [target] = map(Path, sys.argv[1:])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(template_alone(account.stage()), indent=1))


if __name__ == "__main__":
    sys.exit(exit_code(main))
