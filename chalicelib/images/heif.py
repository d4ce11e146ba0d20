"""The process that decodes one HEIC file: `python -m chalicelib.images.heif WIDTH HEIGHT`.

pi-heif 1.0.0, the last with wheels for Lambda's Linux, crashes where it reads the metadata of
some broken files. Here it takes no request with it. The file comes by standard input; what
`decoding.decode` returns or raises goes out.
"""

import pickle
import sys

import pi_heif  # type: ignore[import-untyped]

from chalicelib.errors import AlbumError
from chalicelib.images import decoding


def main() -> None:
    """Decode standard input for the box that the arguments name."""
    # Only the primary picture is wanted, none of what a phone stores around it.
    pi_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)
    answer: decoding.DecodedImage | AlbumError
    try:
        answer = decoding.decode(sys.stdin.buffer.read(), (int(sys.argv[1]), int(sys.argv[2])))
    except AlbumError as error:
        answer = error
    pickle.dump(answer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
