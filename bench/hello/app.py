"""The smallest comparable Chalice app, written the plain way: the album's baseline."""

import os
from typing import Any

from chalice import AuthResponse, Chalice
from chalice.app import AuthRequest

app = Chalice(app_name="hello")


@app.authorizer(ttl_seconds=0)
def allow_all(request: AuthRequest) -> AuthResponse:
    """Allow every request after reading the parameters of one path and one item."""
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
    """Return a greeting."""
    return {"hello": "world"}


@app.route("/photos", authorizer=allow_all)
def photos() -> dict[str, Any]:
    """Return the items that one query finds."""
    import boto3

    response = boto3.client("dynamodb").query(
        TableName=os.environ["PHOTO_TABLE"],
        IndexName="by_taken",
        KeyConditionExpression="user_id = :user",
        ExpressionAttributeValues={":user": {"S": os.environ["SUB"]}},
    )
    return {"photos": response["Items"]}
