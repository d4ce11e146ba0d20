"""The process that decodes one HEIC file: `python -m chalicelib.images.heif WIDTH HEIGHT`.

pi-heif 1.0.0, the last release with wheels for python3.11's Linux, crashes on the metadata of some
broken files. A process of its own keeps such a crash from ending the request. It reads the file
from standard input, and writes what `decoding.decode` returns or raises to standard output.
"""

import pickle
import sys

import pi_heif  # type: ignore[import-untyped]

from chalicelib.errors import AlbumError
from chalicelib.images import decoding


def main() -> None:
    """Decode standard input with a thumbnail that fits the box of the arguments."""
    # Only the primary image is needed, not what phones store with it.
    pi_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)
    result: decoding.DecodedImage | AlbumError
    try:
        result = decoding.decode(sys.stdin.buffer.read(), (int(sys.argv[1]), int(sys.argv[2])))
    except AlbumError as error:
        result = error
    pickle.dump(result, sys.stdout.buffer)


if __name__ == "__main__":
    main()
