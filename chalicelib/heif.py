"""The process that decodes one HEIC file: `python -m chalicelib.heif WIDTH HEIGHT`.

pi-heif 1.0.0, the last with wheels for Lambda's Linux, crashes where it reads the metadata of
some broken files. Here it takes no request with it. The file comes by standard input; what
`images.decode` returns or raises goes out.
"""

import pickle
import sys

import pi_heif  # type: ignore[import-untyped]

from chalicelib import images
from chalicelib.errors import AlbumError


def main() -> None:
    """Decode standard input for the box that the arguments name."""
    # Only the primary picture is wanted, none of what a phone stores around it.
    pi_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)
    answer: images.Picture | AlbumError
    try:
        answer = images.decode(sys.stdin.buffer.read(), (int(sys.argv[1]), int(sys.argv[2])))
    except AlbumError as error:
        answer = error
    pickle.dump(answer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
