"""Measure what it costs to decode each format in a process of its own, and not in the API's.

The times are CPU time, which is what a Lambda function of one core takes.
"""

import io
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pillow_heif  # type: ignore[import-untyped]
from PIL import Image

from bench.images import encoded, photo_like

_SIZES = {"0.3 MP": (640, 480), "12 MP": (4000, 3000), "48 MP": (8064, 6048)}
_FORMATS = {"JPEG", "PNG", "WEBP", "GIF", "TIFF", "AVIF", "HEIF"}

# Each image and way has a fresh process: its first image is cold, the fastest of five more warm.
_SCRIPT = r"""
import re, resource, sys
from pathlib import Path
path, way = sys.argv[1:]
data = Path(path).read_bytes()
def cpu():
    each = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return 1000 * sum(one.ru_utime + one.ru_stime for one in each)

began = cpu()
from chalicelib.images import decoding, isolation
isolation.FORMATS |= decoding._FORMATS.keys()
if way == "process":
    decode = isolation.decode_in_process
else:
    decode = decoding.decode
    if b"ftyp" in data[:8]:
        import pi_heif
        pi_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)
times = []
for _ in range(6):
    decode(data, 1920)
    now = cpu()
    times.append(now - began)
    began = now
own = int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024
child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
memory = f"{own:.0f} + {child:.0f}" if way == "process" else f"{own:.0f}"
print(f"{times[0]:.0f} | {min(times[1:]):.0f} | {memory}", end="")
"""


def _images() -> Iterator[tuple[str, str, bytes]]:
    for name, size in _SIZES.items():
        photo = photo_like(*size)
        yield f"JPEG {name}", f"{len(photo) / 1e6:.1f}", photo
        if name == "48 MP":
            continue
        with Image.open(io.BytesIO(photo)) as image:
            for kind in sorted(_FORMATS - {"JPEG"}):
                options = {"compression": "tiff_lzw"} if kind == "TIFF" else {}
                data = encoded(image, kind, **options)
                yield f"{kind} {name}", f"{len(data) / 1e6:.1f}", data


def main() -> None:
    """Print a table of CPU milliseconds and MB, for each image and both ways to decode it."""
    pillow_heif.register_heif_opener()
    print("| image | file, MB | in the API: cold, ms | warm, ms | memory, MB ", end="")
    print("| in a process: cold, ms | warm, ms | memory of both, MB |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image"
        for name, size, data in _images():
            path.write_bytes(data)
            print(f"| {name} | {size}", end=" | ", flush=True)
            for way, end in (("api", " | "), ("process", " |\n")):
                subprocess.run([sys.executable, "-c", _SCRIPT, str(path), way], check=True)
                print(end=end, flush=True)


if __name__ == "__main__":
    main()
