"""Arrays as pictures and as text: PNGs for who has no script and for print, numbers for who has one.

Notation   n = height x width x channels values of an image, in the order of a portrait's "image"; r images.
Main       displayed, png, sprite; packed, unpacked.
Reference  Okabe & Ito 2008: blue and vermillion are told apart in every common kind of colour blindness.

The same values give the same bytes: no date, no metadata.
"""

import base64
import io
from typing import Any

import numpy as np
from PIL import Image

from verify.arrays import Array
from verify.data.preprocess import inverse_logit
from verify.pictures import palette

Document = dict[str, Any]

# From -high over 0 to high.  Equally light at both ends, so that printed in grey the sign is lost but not the size.
DIVERGING = np.array(palette.DIVERGING, dtype=np.float64)


def displayed(values: Array, display: Document) -> Array:
    """Values of the model's space as they are drawn: taken back from the logit to [0, 1], else as they are.

    Cut to [0, 1]: a reconstruction may lie beyond.
    """
    if display["transform"] == "none":
        return values
    return np.clip(inverse_logit(values, display["alpha"]), 0.0, 1.0)


def png(values: Array, image: list[int], low: float, high: float, symmetric: bool = False) -> bytes:
    """An image (n,) as a PNG: low is black and high white; or, symmetric, -high blue, 0 nearly white, high vermillion.

    Of three channels each goes from low to high, symmetric ones from -high to high with 0 in middle grey.
    """
    return _encoded(_pixels(values, image, low, high, symmetric))


def sprite(
    values: Array, image: list[int], low: Array | float, high: Array | float, across: int, symmetric: bool = False
) -> bytes:
    """r images (r, n) in one PNG, row by row with `across` in each, as `png` draws them; what is left over is white.

    low and high may be one for each image (r,).
    """
    r = len(values)
    lows, highs = np.broadcast_to(low, r), np.broadcast_to(high, r)
    tiles = [_pixels(*of, symmetric) for of in zip(values, [image] * r, lows, highs, strict=True)]
    tiles += [np.full_like(tiles[0], 255)] * (-r % across)
    return _encoded(np.concatenate([np.concatenate(tiles[i : i + across], axis=1) for i in range(0, r, across)]))


def packed(values: Array, bits: int = 16) -> Document:
    """An array for the browser: value = low + step * code, codes in base64 as little-endian uint16, or uint8.

    No value is off by more than step / 2 and rounding, 4 eps max |value|.  step = (largest - smallest) / (2^bits - 1).
    """
    if bits not in (8, 16):
        raise ValueError(f"{bits} bits: 8 or 16")
    x = np.asarray(values, dtype=np.float64)
    low, high = (float(x.min()), float(x.max())) if x.size else (0.0, 0.0)
    step = (high - low) / (2**bits - 1)
    codes = np.rint((x - low) / step) if step > 0 else np.zeros(x.shape)
    data = base64.b64encode(codes.astype(f"<u{bits // 8}").tobytes()).decode()
    return {"low": low, "step": step, "bits": bits, "shape": list(x.shape), "data": data}


def unpacked(document: Document) -> Array:
    """What the browser makes of a packed array."""
    codes = np.frombuffer(base64.b64decode(document["data"]), dtype=f"<u{document['bits'] // 8}")
    return document["low"] + document["step"] * codes.reshape(document["shape"]).astype(np.float64)


def _pixels(values: Array, image: list[int], low: float, high: float, symmetric: bool) -> Array:
    """(n,) -> (height, width, 3) uint8, or (height, width) where grey will do."""
    height, width, channels = image
    x = np.asarray(values, dtype=np.float64).reshape(height, width, channels)
    low = -high if symmetric else low
    # A range of nothing is drawn in its middle.
    t = np.clip((x - low) / (high - low), 0.0, 1.0) if high > low else np.full(x.shape, 0.5)
    if channels == 1 and symmetric:
        t = np.stack([np.interp(t[..., 0], (0, 0.5, 1), DIVERGING[:, c] / 255) for c in range(3)], axis=-1)
    pixels = np.rint(255 * t).astype(np.uint8)
    return pixels[..., 0] if pixels.shape[-1] == 1 else pixels


def _encoded(pixels: Array) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, format="PNG", optimize=True)
    return file.getvalue()
