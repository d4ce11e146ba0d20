"""The process that decodes one image: `python -m chalicelib.images.decoder SIZE`.

It reads the file from standard input. On standard output, it writes a mark when it is ready, and
then the message with what `decoding.decode` returns or raises.
"""

import sys

import pi_heif  # type: ignore[import-untyped]

from chalicelib.errors import UndecodableImage, UnsupportedImage
from chalicelib.images import decoding, isolation, limits, sandbox


def main() -> None:
    """Decode standard input, to sides of at most as many pixels as the argument says."""
    # Only the primary image is needed, not what phones store with it.
    pi_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)
    size = int(sys.argv[1])
    sys.stdout.buffer.write(isolation.READY)
    sys.stdout.buffer.flush()
    data = sys.stdin.buffer.read()
    sandbox.restrict_decoder(limits.MAX_SECONDS, limits.allocation_limit())
    result: isolation.Picture | UndecodableImage | UnsupportedImage
    try:
        result = decoding.decode(data, size)
    except (UndecodableImage, UnsupportedImage) as error:
        result = error
    sys.stdout.buffer.write(isolation.to_message(result))


if __name__ == "__main__":
    main()
