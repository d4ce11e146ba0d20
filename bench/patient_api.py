"""The local album's API, as patient as the embedded AWS is slow with 50,000 photos."""

from chalicelib import clients
from infra.serve import main

_READ_SECONDS = 120

if __name__ == "__main__":
    clients.READ_SECONDS = _READ_SECONDS
    main()
