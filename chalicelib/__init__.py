"""The rooms behind the front door, `app.py`."""

__version__ = "0.1.0"
