"""Every compressor is lossless, and a mosaic holds each image once."""

import bz2
import io
import lzma

import brotli
import imagecodecs
import numpy as np
import pytest
import zstandard
from PIL import Image

from capacity.information import compressed_sizes, compressors
from capacity.information.compressors import (
    COMPRESSORS,
    IMAGE_COMPRESSORS,
    MOSAIC,
    SHORT,
    SHORT_COMPRESSORS,
    SHORT_IMAGE_COMPRESSORS,
    mosaics,
)

STREAMS = {
    "bz2 -9": bz2.decompress,
    "xz -9e": lzma.decompress,
    "zstd -22": zstandard.ZstdDecompressor().decompress,
    "brotli 11": brotli.decompress,
}
IMAGES = IMAGE_COMPRESSORS | SHORT_IMAGE_COMPRESSORS


def decoded(name, file, channels):
    if name.startswith("JPEG XL"):
        image = imagecodecs.jpegxl_decode(file)
    else:
        image = np.asarray(Image.open(io.BytesIO(file)))
        if channels == 1 and image.ndim == 3:  # WebP has no grey
            image = image[..., 0]
    return image.reshape(*image.shape[:2], channels)


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("content", [b"", b"a", bytes(1000), bytes(range(256)) * 9])
def test_streams_come_back(name, content):
    (file,) = (COMPRESSORS | SHORT_COMPRESSORS)[name](np.frombuffer(content, np.uint8))
    assert STREAMS[name](file) == content


def test_every_compressor_of_streams_is_tested():
    assert STREAMS.keys() == (COMPRESSORS | SHORT_COMPRESSORS).keys()


@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", ["noise", "black", "smooth"])
def test_images_come_back(name, channels, kind):
    shape = (7, 5, 9, channels)
    images = {
        "noise": np.random.default_rng(0).integers(0, 256, shape, np.uint8),
        "black": np.zeros(shape, np.uint8),
        "smooth": np.broadcast_to(np.arange(9, dtype=np.uint8)[:, None] * 20, shape),
    }[kind]
    files = IMAGES[name](images)
    whole = list(mosaics(images)) if "mosaic" in name else list(images)
    assert len(files) == len(whole)
    for file, image in zip(files, whole, strict=True):
        np.testing.assert_array_equal(decoded(name, file, channels), image)


def test_a_mosaic_by_hand():
    images = np.arange(3, dtype=np.uint8)[:, None, None, None] * np.ones((1, 1, 2, 1), np.uint8)
    (mosaic,) = mosaics(images)
    assert mosaic[..., 0].tolist() == [[0, 0, 1, 1], [2, 2, 0, 0]]


@pytest.mark.parametrize(("count", "side"), [(1, 40), (11, 1000), (5, 3000)])
def test_mosaics_hold_every_image_once_and_stay_small(count, side):
    images = np.random.default_rng(0).integers(1, 256, (count, side, 16, 1), np.uint8)
    found = list(mosaics(images))
    assert all(max(m.shape[:2]) <= max(MOSAIC, side) for m in found)
    assert sum(int(m.sum()) for m in found) == int(images.sum())
    assert sum(m.size for m in found) >= images.size


def test_a_png_has_57_bytes_of_its_own_and_a_mosaic_shares_them():
    # signature 8, IHDR 25, IDAT 12 and IEND 12, as the PNG standard has it; and no pixel is free
    images = np.zeros((100, 28, 28, 1), np.uint8)
    sizes = compressed_sizes(images)
    assert 100 * 57 < sizes["PNG"] < 100 * 90
    assert 57 < sizes["PNG, mosaic"] < 57 + 250


def test_only_grey_and_rgb_go_to_image_compressors_and_only_short_arrays_to_slow_ones():
    assert compressors(np.zeros((4, 6), np.uint8)).keys() == STREAMS.keys()
    assert compressors(np.zeros((4, 3, 3, 2), np.uint8)).keys() == STREAMS.keys()
    assert compressors(np.zeros((4, 3, 3, 3), np.uint8)).keys() == STREAMS.keys() | IMAGES.keys()
    long = np.zeros((SHORT + 1, 1, 1, 1), np.uint8)
    assert compressors(long).keys() == (COMPRESSORS | IMAGE_COMPRESSORS).keys()


def test_progress_is_told_before_each_compressor():
    told = []
    compressed_sizes(np.zeros((2, 6), np.uint8), lambda what, share: told.append((what, share)))
    assert told == [("bz2 -9", 0), ("xz -9e", 0.25), ("zstd -22", 0.5), ("brotli 11", 0.75)]
