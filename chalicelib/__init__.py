"""Everything behind the routes of `app.py`, one package for each part of the album."""

__version__ = "0.1.0"
