"""Measure the memory and the time that the largest images take, each in a process of its own."""

import subprocess
import sys
import tempfile
from pathlib import Path

_SCRIPT = """
import resource, sys, time
from PIL import Image
Image.MAX_IMAGE_PIXELS = None
kind, mode, width, height, options = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:5]), sys.argv[5]
from pathlib import Path
path = Path(sys.argv[6])
if not path.exists():
    image = Image.linear_gradient("L").resize((width, height))
    import pillow_heif
    pillow_heif.register_heif_opener()
    more = {"subsampling": options} if kind == "HEIF" and options != "-" else {}
    image.convert(mode).save(path, kind, progressive=options == "progressive", speed=10, **more)
    sys.exit()
from chalicelib.images.decoding import read_image
from chalicelib.images.sizes import Sizes
data = path.read_bytes()
began = time.perf_counter()
read_image(data, Sizes(600, 400, 1920))
seconds = time.perf_counter() - began
processes = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)  # HEIC is decoded in a child.
peak = max(resource.getrusage(one).ru_maxrss for one in processes) / 1024
print(f"| {kind} {mode} {options} | {width * height / 1e6:.0f} MP, {len(data) / 1e6:.1f} MB "
      f"| {peak:.0f} MB | {seconds:.1f} s |")
"""

_IMAGES = [
    ("JPEG", "RGB", 4000, 3000, "baseline"),
    ("JPEG", "RGB", 12000, 9000, "baseline"),
    ("JPEG", "RGB", 12000, 9000, "progressive"),
    ("PNG", "RGB", 6000, 4000, "-"),
    ("PNG", "RGB", 13300, 10000, "-"),
    ("PNG", "RGBA", 13300, 10000, "-"),
    ("PNG", "P", 26000, 20000, "-"),
    ("PNG", "I;16", 18000, 14000, "-"),
    ("WEBP", "RGB", 6600, 5000, "-"),
    ("AVIF", "RGB", 7600, 5000, "-"),
    ("HEIF", "RGB", 4000, 3000, "4:2:0"),
    ("HEIF", "RGB", 8064, 6048, "4:2:0"),
    ("HEIF", "RGB", 8064, 6048, "4:4:4"),
    ("HEIF", "RGBA", 6400, 5000, "4:4:4"),
    ("HEIF", "L", 7000, 7000, "-"),
    ("GIF", "P", 22800, 22800, "-"),
    ("TIFF", "RGB", 5500, 5500, "-"),
    ("JPEG", "CMYK", 12000, 9000, "baseline"),
]


def main() -> None:
    """Print a table of the images, the peak memory of the process, and the time."""
    print("| image | size | peak of the process | time |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for number, image in enumerate(_IMAGES):
            arguments = [*map(str, image), str(Path(folder) / str(number))]
            for _ in range(2):  # The first run writes the image.
                subprocess.run([sys.executable, "-c", _SCRIPT, *arguments], check=True)


if __name__ == "__main__":
    main()
