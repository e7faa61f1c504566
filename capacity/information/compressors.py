"""Lossless compressors of 8-bit arrays: of one stream of bytes, image by image, and of a mosaic."""

import bz2
import io
import lzma
import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import brotli
import imagecodecs
import numpy as np
import zstandard
from jaxtyping import UInt8
from PIL import Image

Inputs = UInt8[np.ndarray, "n ..."]
Compressor = Callable[[Inputs], list[bytes]]
"""The files of an array, which with its shape and type decode to it."""

SHORT = 2 * 2**20  # bytes
MOSAIC = 2048  # pixels: the longest side of a mosaic, which bounds the memory


def _xz(inputs: Inputs) -> list[bytes]:
    return [lzma.compress(inputs.tobytes(), preset=9 | lzma.PRESET_EXTREME)]


def _bz2(inputs: Inputs) -> list[bytes]:
    return [bz2.compress(inputs.tobytes(), 9)]


def _zstd(inputs: Inputs) -> list[bytes]:
    return [zstandard.ZstdCompressor(level=22).compress(inputs.tobytes())]


def _brotli(inputs: Inputs) -> list[bytes]:
    return [brotli.compress(inputs.tobytes(), quality=11)]


def _png(image: np.ndarray) -> bytes:
    return _pillow(image, format="PNG", optimize=True)


def _webp(image: np.ndarray) -> bytes:
    return _pillow(image, format="WEBP", lossless=True)


def _jpeg_xl(image: np.ndarray, effort: int) -> bytes:
    return bytes(imagecodecs.jpegxl_encode(image, lossless=True, effort=effort, numthreads=1))


def _each(code: Callable[[np.ndarray], bytes], inputs: Inputs) -> list[bytes]:
    return [code(_plane(image)) for image in inputs]


def _mosaic(code: Callable[[np.ndarray], bytes], inputs: Inputs) -> list[bytes]:
    return [code(_plane(mosaic)) for mosaic in mosaics(inputs)]


COMPRESSORS: dict[str, Compressor] = {"bz2 -9": _bz2, "xz -9e": _xz}
IMAGE_COMPRESSORS: dict[str, Compressor] = {
    "JPEG XL 7, mosaic": partial(_mosaic, partial(_jpeg_xl, effort=7)),
}
# slower per byte, or never the smallest of large sets: for SHORT bytes at most
SHORT_COMPRESSORS: dict[str, Compressor] = {"zstd -22": _zstd, "brotli 11": _brotli}
SHORT_IMAGE_COMPRESSORS: dict[str, Compressor] = {
    "PNG": partial(_each, _png),
    "PNG, mosaic": partial(_mosaic, _png),
    "WebP": partial(_each, _webp),
    "WebP, mosaic": partial(_mosaic, _webp),
    "JPEG XL 7": partial(_each, partial(_jpeg_xl, effort=7)),
    "JPEG XL 9, mosaic": partial(_mosaic, partial(_jpeg_xl, effort=9)),
}


def compressors(inputs: Inputs) -> dict[str, Compressor]:
    """Those that read an array of this shape and size, by name.

    A compressor of images reads [n, height, width, channels] of one or three channels.
    """
    chosen = dict(COMPRESSORS)
    images = is_images(inputs)
    if images:
        chosen |= IMAGE_COMPRESSORS
    if inputs.nbytes <= SHORT:
        chosen |= SHORT_COMPRESSORS | (SHORT_IMAGE_COMPRESSORS if images else {})
    return chosen


def compressed_sizes(
    inputs: Inputs, progress: Callable[[str, float], object] | None = None
) -> dict[str, int]:
    """Bytes of an array after each of its `compressors`; every one is an upper bound.

    The array's shape is not counted; the headers of all files are, of which each image of 28 x 28
    pixels has 0.58 bits per pixel as a PNG and none in a mosaic.
    """
    chosen = compressors(inputs)
    sizes = {}
    for done, (name, files) in enumerate(chosen.items()):
        if progress is not None:
            progress(name, done / len(chosen))
        sizes[name] = sum(map(len, files(inputs)))
    return sizes


def mosaics(images: UInt8[np.ndarray, "n h w c"]) -> Iterator[UInt8[np.ndarray, "rows columns c"]]:
    """The images side by side, row by row, in squares of at most MOSAIC pixels; the end is black.

    Each but the last holds the same number of images.
    """
    count, height, width, channels = images.shape
    columns = min(math.isqrt(count - 1) + 1, max(1, MOSAIC // width))
    rows = max(1, MOSAIC // height)
    for start in range(0, count, rows * columns):
        chosen = images[start : start + rows * columns]
        filled = -(-len(chosen) // columns)
        grid = np.zeros((filled * columns, height, width, channels), np.uint8)
        grid[: len(chosen)] = chosen
        tiled = grid.reshape(filled, columns, height, width, channels).swapaxes(1, 2)
        yield tiled.reshape(filled * height, columns * width, channels)


def is_images(inputs: np.ndarray) -> bool:
    """Whether an array is one of grey or RGB images, by its shape."""
    return inputs.ndim == 4 and inputs.shape[-1] in (1, 3)


def _plane(image: UInt8[np.ndarray, "h w c"]) -> np.ndarray:
    """Without the axis of a single channel, as the libraries want it."""
    return np.ascontiguousarray(image[..., 0] if image.shape[-1] == 1 else image)


def _pillow(image: np.ndarray, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, **options)
    return file.getvalue()
