"""CloudAlbum: a private photo album with no server to keep. This is its front door."""

import logging
from typing import Any

from chalice import AuthResponse, AuthRoute, Chalice, CORSConfig, Response
from chalice.app import AuthRequest

from chalicelib import __version__, forms, services
from chalicelib.cognito import Tokens
from chalicelib.errors import InvalidInput, NotSignedIn
from chalicelib.http_errors import errors_answered
from chalicelib.settings import authorizer_ttl_seconds, cors_allow_origin
from chalicelib.tokens import bearer

app = Chalice(app_name="cloudalbum")
app.log.setLevel(logging.INFO)
app.api.binary_types.append("multipart/form-data")
# The web client really sends headers named `datatype` and `headers`.
app.api.cors = CORSConfig(
    allow_origin=cors_allow_origin(),
    allow_headers=["datatype", "headers", "Idempotency-Key"],
    expose_headers=["Retry-After"],
    max_age=600,
)

ANY_TYPE = ["*/*"]
answered = errors_answered(app)


@app.authorizer(ttl_seconds=authorizer_ttl_seconds())
def jwt_auth(request: AuthRequest) -> AuthResponse:
    """Let in whoever holds a live access token; its `sub` reaches the routes.

    What is raised here is a gateway error: a good token is never refused because AWS is down.
    """
    try:
        caller = services.sessions().authenticate(bearer(request.token))
    except NotSignedIn:
        return AuthResponse(routes=[], principal_id="stranger")
    # Who is leaving can do nothing but finish that.
    leaving = [AuthRoute(path, ["DELETE"]) for path in ("/users/me", "/users/me/")]
    routes = leaving if caller.is_leaving else ["*"]
    context = {"sub": caller.sub, "origin_jti": caller.origin_jti}
    return AuthResponse(routes=routes, principal_id=caller.sub, context=context)


@app.route("/health", methods=["GET"])
@answered
def health() -> dict[str, Any]:
    """Tell that the app is up, and its version."""
    return {"ok": True, "version": __version__}


@app.route("/users/signup", methods=["POST"])
@answered
def sign_up() -> dict[str, Any]:
    """Make an account."""
    fields = json_body()
    told = services.accounts().sign_up(
        forms.email(fields), forms.new_password(fields), forms.username(fields)
    )
    return {"ok": True, **told}


@app.route("/users/confirm", methods=["POST"])
@answered
def confirm() -> dict[str, Any]:
    """Confirm an account with the code that was mailed."""
    fields = json_body()
    services.accounts().confirm(forms.email(fields), forms.code(fields))
    return {"ok": True}


@app.route("/users/confirm/resend", methods=["POST"])
@answered
def resend_code() -> dict[str, Any]:
    """Mail another code, if the address waits for one."""
    services.accounts().resend_code(forms.email(json_body()))
    return {"ok": True}


@app.route("/users/signin", methods=["POST"])
@answered
def sign_in() -> dict[str, Any]:
    """Exchange a password for tokens."""
    fields = json_body()
    return tokens(services.accounts().sign_in(forms.email(fields), forms.password(fields)))


@app.route("/users/refresh", methods=["POST"])
@answered
def refresh() -> dict[str, Any]:
    """Exchange a refresh token for a new access token."""
    return tokens(services.accounts().refresh(forms.refresh_token(json_body())))


@app.route("/users/signout", methods=["POST"], authorizer=jwt_auth, content_types=ANY_TYPE)
@answered
def sign_out() -> dict[str, Any]:
    """End every session of the user."""
    services.accounts().sign_out(user_id(), session_id(), access_token())
    return {"ok": True}


@app.route("/users/password/forgot", methods=["POST"])
@answered
def forgot_password() -> dict[str, Any]:
    """Mail a code that resets the password, if the address is known."""
    services.accounts().forget_password(forms.email(json_body()))
    return {"ok": True}


@app.route("/users/password/reset", methods=["POST"])
@answered
def reset_password() -> dict[str, Any]:
    """Set a new password with the code that was mailed, and end every session."""
    fields = json_body()
    services.accounts().reset_password(
        forms.email(fields), forms.code(fields), forms.new_password(fields)
    )
    return {"ok": True}


@app.route("/users/links", methods=["GET"])
@answered
def links() -> dict[str, Any]:
    """Tell where the pool's hosted pages are."""
    return {"ok": True, **services.accounts().links()}


@app.route("/users/me", methods=["GET"], authorizer=jwt_auth)
@answered
def get_profile() -> dict[str, Any]:
    """Describe the user's account."""
    return {"ok": True, "user": services.accounts().profile(user_id())}


@app.route("/users/me", methods=["PATCH"], authorizer=jwt_auth)
@answered
def change_profile() -> dict[str, Any]:
    """Change the name a person is shown by."""
    services.accounts().rename(user_id(), forms.username(json_body()))
    return {"ok": True, "user": services.accounts().profile(user_id())}


@app.route("/users/me/password", methods=["PUT"], authorizer=jwt_auth)
@answered
def change_password() -> dict[str, Any]:
    """Change the password, and end every session."""
    fields = json_body()
    services.accounts().change_password(
        user_id(),
        session_id(),
        access_token(),
        forms.password(fields, "oldPassword"),
        forms.new_password(fields, "newPassword"),
    )
    return {"ok": True}


@app.route("/users/me", methods=["DELETE"], authorizer=jwt_auth)
@answered
def delete_account() -> Any:
    """Delete the account with everything in it."""
    services.accounts().begin_deletion(user_id(), forms.password(json_body()))
    remaining = services.photos().delete_all(user_id())
    if remaining:
        return Response({"ok": True, "remaining": remaining}, status_code=202)
    services.accounts().finish_deletion(user_id())
    return {"ok": True}


@app.route(
    "/photos/file", methods=["POST"], authorizer=jwt_auth, content_types=["multipart/form-data"]
)
@answered
def upload_photo() -> dict[str, Any]:
    """Store one picture."""
    request = app.current_request
    form = forms.photo_form(request.raw_body, request.headers["content-type"])
    key = forms.idempotency_key(request.headers)
    photo = services.uploads().upload(user_id(), form.data, form.metadata, key)
    return {"ok": True, "photo_id": photo["id"], "photo": photo}


@app.route("/photos/uploads", methods=["POST"], authorizer=jwt_auth)
@answered
def begin_upload() -> dict[str, Any]:
    """Tell where to send one picture straight to S3."""
    key = forms.idempotency_key(app.current_request.headers)
    return {
        "ok": True,
        **services.uploads().begin(user_id(), forms.upload_request(json_body()), key),
    }


@app.route(
    "/photos/uploads/{photo_id}/complete",
    methods=["POST"],
    authorizer=jwt_auth,
    content_types=ANY_TYPE,
)
@answered
def complete_upload(photo_id: str) -> dict[str, Any]:
    """Make a photo of what was sent to S3."""
    photo = services.uploads().complete(user_id(), photo_id)
    return {"ok": True, "photo_id": photo_id, "photo": photo}


@app.route("/photos", methods=["GET"], authorizer=jwt_auth)
@answered
def list_photos() -> dict[str, Any]:
    """List the user's photos, page by page."""
    page = services.lists().page(user_id(), photo_query())
    return {"ok": True, "photos": page.photos, "nextCursor": page.next_cursor}


@app.route("/photos/map", methods=["GET"], authorizer=jwt_auth)
@answered
def map_photos() -> Response:
    """List the user's photos that have a position, as GeoJSON."""
    collection = services.lists().map(user_id(), photo_query())
    return Response(collection, headers={"Content-Type": "application/geo+json"})


@app.route("/photos/tags", methods=["GET"], authorizer=jwt_auth)
@answered
def count_tags() -> dict[str, Any]:
    """List the user's tags with how many photos have them."""
    return {"ok": True, "tags": services.lists().tags(user_id())}


@app.route("/photos/{photo_id}", methods=["GET"], authorizer=jwt_auth)
@answered
def get_photo(photo_id: str) -> Any:
    """Describe one photo, or with `?mode=` redirect to its bytes."""
    mode = (app.current_request.query_params or {}).get("mode")
    if mode is None:
        return {"ok": True, "photo": services.photos().get(user_id(), photo_id)}
    if mode not in ("thumbnail", "original"):
        raise InvalidInput("mode", "expected thumbnail or original")
    location = services.photos().url(user_id(), photo_id, mode)
    return Response("", status_code=302, headers={"Location": location})


@app.route("/photos/{photo_id}", methods=["PATCH"], authorizer=jwt_auth)
@answered
def edit_photo(photo_id: str) -> dict[str, Any]:
    """Change what is known about one photo."""
    changes = forms.photo_changes(json_body())
    return {"ok": True, "photo": services.photos().edit(user_id(), photo_id, changes)}


@app.route("/photos/{photo_id}", methods=["DELETE"], authorizer=jwt_auth)
@answered
def delete_photo(photo_id: str) -> dict[str, Any]:
    """Delete one photo for good."""
    services.photos().delete(user_id(), photo_id)
    return {"ok": True, "photo_id": photo_id}


def photo_query() -> forms.PhotoQuery:
    """Return which photos the request asks for."""
    return forms.photo_query(app.current_request.query_params or {})


def json_body() -> dict[str, Any]:
    """Return the request's body, which must be a JSON object."""
    return forms.json_object(app.current_request.raw_body)


def user_id() -> str:
    """Return the verified `sub` of who is asking."""
    sub: str = app.current_request.context["authorizer"]["sub"]
    return sub


def session_id() -> str:
    """Return what all tokens have in common that came of the same sign-in."""
    origin_jti: str = app.current_request.context["authorizer"]["origin_jti"]
    return origin_jti


def access_token() -> str:
    """Return the verified access token of who is asking."""
    return bearer(app.current_request.headers["authorization"])


def tokens(given: Tokens) -> dict[str, Any]:
    """Return tokens as clients expect them."""
    return {
        "accessToken": given.access_token,
        "refreshToken": given.refresh_token,
        "expiresIn": given.expires_in,
    }
