"""The smallest Chalice app of its kind, the plain way: what the album is measured against."""

import os
from typing import Any

from chalice import AuthResponse, Chalice
from chalice.app import AuthRequest

app = Chalice(app_name="hello")


@app.authorizer(ttl_seconds=0)
def let_in(request: AuthRequest) -> AuthResponse:
    """Let everybody in, after reading one parameter path and one row."""
    import boto3

    boto3.client("ssm").get_parameters_by_path(
        Path=os.environ["PARAMETER_PATH"], WithDecryption=True
    )
    boto3.client("dynamodb").get_item(
        TableName=os.environ["USER_TABLE"], Key={"sub": {"S": os.environ["SUB"]}}
    )
    return AuthResponse(routes=["*"], principal_id="hello")


@app.route("/")
def index() -> dict[str, str]:
    """Say hello."""
    return {"hello": "world"}


@app.route("/photos", authorizer=let_in)
def photos() -> dict[str, Any]:
    """Answer with what one query finds."""
    import boto3

    answer = boto3.client("dynamodb").query(
        TableName=os.environ["PHOTO_TABLE"],
        IndexName="by_taken",
        KeyConditionExpression="user_id = :user",
        ExpressionAttributeValues={":user": {"S": os.environ["SUB"]}},
    )
    return {"photos": answer["Items"]}
