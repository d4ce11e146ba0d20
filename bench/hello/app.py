"""The smallest Chalice app: what any other is measured against."""

from chalice import Chalice

app = Chalice(app_name="hello")


@app.route("/")
def index() -> dict[str, str]:
    """Say hello."""
    return {"hello": "world"}
