"""Convolutions and their transposes against the definition, entry by entry, and against each other.

The definition is at the head of gpu/vae/grids.py. Sizes include thin blocks (4C < c) either way.

float64 errors are relative to the norm of what is compared; 1e-13 is a few hundred roundings of sums of at most 1000
terms.
"""

from functools import partial

import numpy as np
import pytest

from gpu.vae import convolution, elementwise
from gpu.vae.convolution import Convolution, TransposedConvolution
from tests.emulator.device import install
from verify.arrays import to_numpy
from verify.errors import InputError

LAYERS = (Convolution, TransposedConvolution)
# height, width, channels in, channels out, E, B: square and not, one channel, one block, an odd number of images.
SIZES = [(4, 6, 2, 3, 2, 3), (2, 2, 1, 1, 1, 1), (8, 4, 3, 5, 1, 5), (6, 6, 4, 2, 3, 2), (2, 8, 5, 7, 2, 1)]
THIN = [(4, 6, 1, 7, 2, 3), (4, 6, 7, 1, 2, 3)]
SIZES += THIN
EITHER_WAY = [SIZES[0], *THIN]
ROUNDING = 1e-13


def distance(actual, expected):
    return np.linalg.norm(actual - expected) / np.linalg.norm(expected)


def pixels(x, shape):
    """Flat images (E, B, numbers) as (E, B, height, width, channels)."""
    return x.reshape(*x.shape[:2], *shape)


def naive(layer, x, kernel, bias):
    """The two definitions at the head of gpu/vae/grids.py, without the ReLU; flat images in and out."""
    x = pixels(x, layer.shape_in)
    E, B, height, width, _ = x.shape
    y = np.zeros((E, B, *layer.shape_out)) + bias[:, None, None, None, :]
    rows, columns = layer.shape_out[:2]
    for e, b, p, q in np.ndindex(E, B, 4, 4):
        if isinstance(layer, Convolution):
            for i, j in np.ndindex(rows, columns):
                r, s = 2 * i - 1 + p, 2 * j - 1 + q
                if 0 <= r < height and 0 <= s < width:
                    y[e, b, i, j] += x[e, b, r, s] @ kernel[e, p, q]
        else:
            for i, j in np.ndindex(height, width):
                r, s = 2 * i - 1 + p, 2 * j - 1 + q
                if 0 <= r < rows and 0 <= s < columns:
                    y[e, b, r, s] += x[e, b, i, j] @ kernel[e, p, q]
    return y.reshape(E, B, -1)


def problem(kind, size, *, relu=False, seed=0, dtype=np.float64):
    """A layer, x, kernel, bias, and a gradient dy for its output; kernel and bias are views of one flat buffer."""
    height, width, inputs, outputs, E, B = size
    layer = kind(height, width, inputs, outputs, relu)
    rng = np.random.default_rng(seed)
    count = 16 * inputs * outputs
    flat = rng.standard_normal((E, count + outputs + 1)).astype(dtype)
    x = rng.standard_normal((E, B, height * width * inputs)).astype(dtype)
    dy = rng.standard_normal((E, B, layer.width)).astype(dtype)
    return layer, x, flat[:, :count].reshape(E, *layer.weight_shape), flat[:, count : count + outputs], dy


def gradients(layer, x, kernel, bias, dy, need=True):
    """y, dx, dK, db, copied out of the layer's own arrays; the gradients go to views of a flat buffer."""
    E, count = len(x), kernel[0].size
    flat = np.full((E, count + bias.shape[1]), np.nan, dtype=x.dtype)
    dkernel, dbias = flat[:, :count].reshape(kernel.shape), flat[:, count:]
    y = layer.forward(x, kernel, bias)
    dx = layer.backward(dy.copy(), x, y, kernel, dkernel, dbias, need)
    return y.copy(), None if dx is None else dx.copy(), dkernel, dbias


@pytest.fixture(params=["whole", "chunks"])
def chunks(request, monkeypatch):
    """All images at once, and one at a time."""
    if request.param == "chunks":
        monkeypatch.setattr(convolution, "CHUNK", 1)


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("size", SIZES)
def test_forward_is_the_definition(kind, size, chunks):
    layer, x, kernel, bias, _ = problem(kind, size)
    y = layer.forward(x, kernel, bias)
    assert y.shape == (*x.shape[:2], layer.width) == (*x.shape[:2], np.prod(layer.shape_out))
    assert distance(y, naive(layer, x, kernel, bias)) < ROUNDING


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("change", [lambda K: K[:, ::-1], lambda K: K[:, :, ::-1], lambda K: K.swapaxes(1, 2)])
def test_a_kernel_flipped_or_turned_is_caught(kind, change):
    layer, x, kernel, bias, _ = problem(kind, SIZES[0])
    assert distance(layer.forward(x, np.ascontiguousarray(change(kernel)), bias), naive(layer, x, kernel, bias)) > 0.1


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("size", SIZES)
def test_the_gradients_are_the_slopes_of_the_definition(kind, size, chunks):
    layer, x, kernel, bias, dy = problem(kind, size)
    _, dx, dkernel, dbias = gradients(layer, x, kernel, bias, dy)
    # The layer is linear in each argument: the slope along a direction is the difference of two values, exactly.
    rng = np.random.default_rng(1)
    value = partial(naive, layer)
    for at, gradient in enumerate((dx, dkernel, dbias)):
        given = [x, kernel, bias]
        for _ in range(3):
            step = rng.standard_normal(given[at].shape)
            moved = [a + step if i == at else a for i, a in enumerate(given)]
            slope = np.sum(dy * (value(*moved) - value(*given)))
            # Relative to the terms that make up the slope, which may cancel.
            scale = np.linalg.norm(gradient) * np.linalg.norm(step)
            assert abs(np.sum(gradient * step) - slope) < 1e-12 * scale
            assert abs(np.sum(gradient * step) + slope) > 1e-6 * scale  # control: the sign


@pytest.mark.parametrize("kind", LAYERS)
def test_relu_cuts_values_and_gradients(kind, chunks):
    layer, x, kernel, bias, dy = problem(kind, SIZES[0], relu=True)
    y, *found = gradients(layer, x, kernel, bias, dy)
    plain = naive(layer, x, kernel, bias)
    assert np.array_equal(y > 0, plain > 0) and 0.2 < (plain > 0).mean() < 0.8
    assert distance(y, np.maximum(plain, 0)) < ROUNDING
    layer, *_ = problem(kind, SIZES[0], relu=False)
    _, *expected = gradients(layer, x, kernel, bias, dy * (plain > 0))
    assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))
    _, *uncut = gradients(layer, x, kernel, bias, dy)
    assert all(distance(a, b) > 0.1 for a, b in zip(found, uncut, strict=True))  # control


@pytest.mark.parametrize("size", SIZES)
def test_one_is_the_adjoint_of_the_other(size):
    height, width, inputs, outputs, E, _ = size
    layer, x, kernel, _, dy = problem(Convolution, size)
    back = TransposedConvolution(height // 2, width // 2, outputs, inputs, False)
    turned = np.ascontiguousarray(kernel.swapaxes(3, 4))
    up = back.forward(dy, turned, np.zeros((E, inputs))).copy()
    left, right = np.sum(layer.forward(x, kernel, np.zeros((E, outputs))) * dy), np.sum(x * up)
    scale = np.linalg.norm(x) * np.linalg.norm(up)
    assert abs(left - right) < ROUNDING * scale
    wrong = np.sum(x * back.forward(dy, np.ascontiguousarray(turned[:, ::-1]), np.zeros((E, inputs))))
    assert abs(left - wrong) > 1e-4 * scale  # control: a kernel upside down
    assert distance(gradients(layer, x, kernel, np.zeros((E, outputs)), dy)[1], up) < ROUNDING


@pytest.mark.parametrize("kind", LAYERS)
def test_nothing_is_computed_that_is_not_needed(kind):
    layer, x, kernel, bias, dy = problem(kind, SIZES[0])
    _, dx, *found = gradients(layer, x, kernel, bias, dy, need=False)
    assert dx is None
    for a, b in zip(found, gradients(layer, x, kernel, bias, dy)[2:], strict=True):
        assert np.array_equal(a, b)


@pytest.mark.parametrize("size", EITHER_WAY)
@pytest.mark.parametrize("kind", LAYERS)
def test_buffers_serve_batches_of_any_size_in_turn(kind, size, monkeypatch):
    """The rings of zeros around the images survive, whatever was computed in between."""
    monkeypatch.setattr(convolution, "CHUNK", 2 * kind(*size[:4], False)._grids.largest)  # two images
    layer, *_ = problem(kind, size)
    for B, seed in ((5, 0), (2, 1), (1, 2), (5, 3), (4, 4)):
        _, x, kernel, bias, dy = problem(kind, (*size[:5], B), seed=seed)
        fresh = kind(*size[:4], False)
        for a, b in zip(gradients(layer, x, kernel, bias, dy), gradients(fresh, x, kernel, bias, dy), strict=True):
            assert np.array_equal(a, b)
        assert distance(layer.forward(x, kernel, bias), naive(layer, x, kernel, bias)) < ROUNDING


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("channels", [(8, 6), (1, 7), (7, 1)])
def test_a_model_has_the_same_bits_alone_and_in_an_ensemble(kind, channels, monkeypatch):
    monkeypatch.setattr(convolution, "CHUNK", 5000)
    size = (16, 12, *channels, 4, 13)
    layer, *given = problem(kind, size, relu=True, dtype=np.float32)
    together = gradients(layer, *given)
    for e in range(4):
        alone = gradients(kind(*size[:4], True), *(a[e : e + 1].copy() for a in given))
        for a, b in zip(alone, together, strict=True):
            assert a.dtype == np.float32 and np.array_equal(a[0], b[e])


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("channels", [(8, 6), (1, 7), (7, 1)])
def test_the_number_of_threads_changes_no_bit(kind, channels, monkeypatch):
    monkeypatch.setattr(convolution, "CHUNK", 3000)
    layer, *given = problem(kind, (16, 12, *channels, 2, 13), relu=True, dtype=np.float32)
    assert len(layer._chunks(given[0])) > 3
    found = []
    for cores in (1, 2, 3):
        monkeypatch.setattr(elementwise, "cores", lambda cores=cores: cores)
        found.append(gradients(layer, *given))
    for other in found[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(found[0], other, strict=True))


@pytest.mark.parametrize("kind", LAYERS)
def test_float32_is_float64_to_its_rounding(kind):
    layer, *given = problem(kind, (16, 16, 8, 16, 1, 32))
    expected = gradients(layer, *given)
    found = gradients(layer, *(a.astype(np.float32) for a in given))
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == np.float32
        assert distance(a, b) < 2e-6  # 2^-24 = 6e-8 times the square root of some hundred terms


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", LAYERS)
def test_torch_gives_the_same(kind, dtype):
    torch = pytest.importorskip("torch")
    layer, x, kernel, bias, dy = problem(kind, (8, 8, 3, 5, 2, 4), dtype=dtype)
    found = gradients(layer, x, kernel, bias, dy)
    function = torch.nn.functional.conv2d if kind is Convolution else torch.nn.functional.conv_transpose2d
    order = (3, 2, 0, 1) if kind is Convolution else (2, 3, 0, 1)  # torch: (out, in, p, q), and (in, out, p, q)
    for e in range(2):
        inputs = [
            torch.tensor(pixels(x, layer.shape_in)[e].transpose(0, 3, 1, 2), requires_grad=True),
            torch.tensor(kernel[e].transpose(order), requires_grad=True),
            torch.tensor(bias[e], requires_grad=True),
        ]
        y = function(*inputs, stride=2, padding=1)
        y.backward(torch.tensor(pixels(dy, layer.shape_out)[e].transpose(0, 3, 1, 2)))
        gx, gk, gb = (a.grad.numpy() for a in inputs)
        back = gk.transpose(np.argsort(order))
        expected = y.detach().numpy().transpose(0, 2, 3, 1), gx.transpose(0, 2, 3, 1), back, gb
        tolerance = 1e-6 if dtype == "float32" else ROUNDING
        for a, b in zip(found, expected, strict=True):
            assert distance(a[e].ravel(), b.ravel()) < tolerance


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("size", EITHER_WAY)
@pytest.mark.parametrize("limit", [1, 1 << 20])
def test_the_same_numbers_on_a_device(kind, size, limit, monkeypatch):
    layer, x, kernel, bias, dy = problem(kind, size, relu=True)
    expected = gradients(layer, x, kernel, bias, dy)
    cupy = install(monkeypatch)
    monkeypatch.setattr(convolution, "DEVICE_CHUNK", limit)
    E, count = len(x), kernel[0].size
    flat = cupy.zeros((E, count + bias.shape[1]))
    dx_, dy_, K, b = (cupy.asarray(a) for a in (x, dy, kernel, bias))
    dkernel, dbias = flat[:, :count].reshape(*kernel.shape), flat[:, count:]
    layer = kind(*size[:4], True)
    y = layer.forward(dx_, K, b)
    dx = layer.backward(dy_, dx_, y, K, dkernel, dbias, True)
    for a, e in zip((y, dx, dkernel, dbias), expected, strict=True):
        assert isinstance(a, cupy.ndarray) and distance(to_numpy(a), e) < ROUNDING


def test_the_fans_count_connections():
    """Ones through a kernel of ones: each output counts its inputs, in the middle of the grid."""
    for kind in LAYERS:
        layer = kind(8, 8, 3, 2, False)
        ones = np.ones((1, 1, 8 * 8 * 3))
        y = layer.forward(ones, np.ones((1, *layer.weight_shape)), np.zeros((1, 2)))
        middle = tuple(side // 2 for side in layer.shape_out[:2])
        assert pixels(y, layer.shape_out)[0, 0][middle][0] == layer.fan_in
        kernel, bias = np.ones((1, *layer.weight_shape)), np.zeros((1, 2))
        dx = gradients(layer, ones, kernel, bias, np.ones((1, 1, layer.width)))[1]
        assert pixels(dx, layer.shape_in)[0, 0, 4, 4, 0] == layer.fan_out


@pytest.mark.parametrize("size", [(5, 4), (4, 7)])
def test_odd_images_are_refused(size):
    with pytest.raises(InputError, match=r"^images of \d x \d: [^\n]*even height and width$"):
        Convolution(*size, 3, 2, False)


def test_no_channels_are_refused():
    with pytest.raises(InputError, match=r"at least 1$"):
        TransposedConvolution(4, 4, 0, 2, False)


def test_a_model_that_diverges_warns_in_no_thread(monkeypatch):
    """What NumPy is told to overlook holds in every thread, and nowhere else."""
    monkeypatch.setattr(elementwise, "cores", lambda: 2)
    large = np.full((1, 8), 1e300)

    def overflow(row):
        large[0, row] * 1e300

    with np.errstate(all="ignore"):
        elementwise.share_out(overflow, range(8))
    with pytest.raises(RuntimeWarning, match="overflow"), np.errstate(all="warn"):
        elementwise.share_out(overflow, range(8))
