"""Dense layers with explicit forward and backward passes.

Notation   x (E, B, inputs), y (E, B, outputs); weight (E, inputs, outputs) and bias (E, outputs) are views of a flat
           buffer (E, P); dy is the gradient with respect to y, and so on.
Main       Dense; Layer, what every layer offers.

A layer keeps the arrays that it writes to, and hands the same ones out at every call.
"""

from typing import Any, Protocol

from gpu.products import multiply
from gpu.vae.elementwise import add_bias, bias_gradient
from verify.arrays import Array, namespace, transpose


class Layer(Protocol):
    """y = x W + b, or max(., 0) of it; or a convolution."""

    weight_shape: tuple[int, ...]
    bias_shape: tuple[int, ...]
    fan_in: int
    fan_out: int
    relu: bool
    width: int  # numbers in the output for one datum
    multiplications: int  # of the forward pass for one datum

    def forward(self, x: Array, weight: Array, bias: Array) -> Array:
        """-> y.  x, weight and bias must stay as they are until `backward`."""
        ...

    def backward(self, dy: Array, x: Array, y: Array, weight: Array, dweight: Array, dbias: Array, need: bool) -> Array:
        """Write dweight and dbias; -> dx, or None unless `need`.  dy is overwritten."""
        ...


class Buffers:
    """Arrays by name, allocated, and set to 0, where a shape is new."""

    def __init__(self) -> None:
        self._held: dict[str, Array] = {}

    def __call__(self, name: str, shape: tuple[int, ...], like: Array) -> Array:
        held = self._held.get(name)
        if held is None or held.shape != shape or held.dtype != like.dtype:
            held = self._held[name] = namespace(like).zeros(shape, dtype=like.dtype)
        return held


class Dense:
    """y = x W + b, with ReLU if asked for."""

    def __init__(self, inputs: int, outputs: int, relu: bool):
        self.weight_shape: tuple[int, ...] = (inputs, outputs)
        self.bias_shape: tuple[int, ...] = (outputs,)
        self.fan_in, self.fan_out, self.relu = inputs, outputs, relu
        self.width, self.multiplications = outputs, inputs * outputs
        self._buffer = Buffers()

    def forward(self, x: Array, weight: Array, bias: Array) -> Array:
        """x (E, B, inputs) -> y (E, B, outputs)."""
        y = multiply(x, weight, out=self._buffer("y", (*x.shape[:2], self.width), x))
        add_bias(y, bias, self.relu)
        return y

    def backward(self, dy: Array, x: Array, y: Array, weight: Array, dweight: Array, dbias: Array, need: bool) -> Any:
        """dW = x^T dy, db = sum dy, dx = dy W^T, where a ReLU lets dy through only where y > 0."""
        bias_gradient(dy, y if self.relu else None, dbias)
        multiply(transpose(x), dy, out=dweight)
        if not need:
            return None
        return multiply(dy, transpose(weight), out=self._buffer("dx", x.shape, x))
