"""PyTorch, eager, with its fused Adam: the same VAE as gpu/vae, from the same weights.

Main       eager.
"""

from collections.abc import Callable
from itertools import pairwise
from math import isqrt
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.training import STEPS, problem

Run = Callable[[], dict[str, Any]]


class Mlp(nn.Module):
    """Dense layers with ReLU between them; the encoder gives mean and log variance."""

    def __init__(self, n: int, k: int, hidden: tuple[int, ...]):
        super().__init__()
        self.k = k
        self.encoder = _dense([n, *hidden, 2 * k])
        self.decoder = _dense([k, *hidden[::-1], n])
        self.log_sigma2 = nn.Parameter(torch.zeros(()))

    def forward(self, x: Any, noise: Any) -> Any:
        """-ELBO, the mean over the batch."""
        heads = self.encoder(x)
        mean, log_variance = heads[:, : self.k], heads[:, self.k :]
        y = self.decoder(mean + torch.exp(0.5 * log_variance) * noise)
        return loss(x, y.reshape(x.shape), mean, log_variance, self.log_sigma2)

    def layers(self) -> list[tuple[str, Any]]:
        """The layers that have weights, by the names of our layout."""
        kinds = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)
        found = []
        for half in ("encoder", "decoder"):
            own = [m for m in getattr(self, half) if isinstance(m, kinds)]
            found += [(f"{half}.{i}", m) for i, m in enumerate(own)]
        return found

    def load(self, views: dict[str, Any]) -> None:
        """The weights of our layout."""
        with torch.no_grad():
            for name, layer in self.layers():
                layer.weight.copy_(torch.tensor(views[f"{name}.weight"][0].transpose(theirs(layer))))
                layer.bias.copy_(torch.tensor(views[f"{name}.bias"][0]))
            self.log_sigma2.copy_(torch.tensor(float(views["log_sigma2"][0])))

    def gradient(self, layout: Any) -> Any:
        """The gradient in the order of our layout, (P,)."""
        flat = np.zeros((1, layout.size), dtype=np.float32)
        views = layout.views(flat)
        for name, layer in self.layers():
            views[f"{name}.weight"][0] = layer.weight.grad.numpy().transpose(np.argsort(theirs(layer)))
            views[f"{name}.bias"][0] = layer.bias.grad.numpy()
        views["log_sigma2"][0] = self.log_sigma2.grad.item()
        return flat[0]


def theirs(layer: Any) -> tuple[int, ...]:
    """Our axes (in, out) or (row, column, in, out) in the order of PyTorch's weights."""
    if isinstance(layer, nn.Linear):
        return (1, 0)
    return (3, 2, 0, 1) if isinstance(layer, nn.Conv2d) else (2, 3, 0, 1)


class Convolutional(Mlp):
    """The model of Higgins et al. 2017 for images in colour, channels first as PyTorch has them."""

    def __init__(self, n: int, k: int, hidden: tuple[int, ...]):
        super().__init__(1, 1, ())
        *channels, units = hidden
        whole = isqrt(n // 3)
        self.k, side = k, whole >> len(channels)
        down: list[nn.Module] = []
        up: list[nn.Module] = []
        for a, b in pairwise([3, *channels]):
            down += [nn.Conv2d(a, b, 4, 2, 1), nn.ReLU()]
            up = [nn.ConvTranspose2d(b, a, 4, 2, 1), *([nn.ReLU()] if up else []), *up]
        features = channels[-1] * side * side
        to_rows = ChannelsLast((channels[-1], side, side), back=False)
        to_maps = ChannelsLast((channels[-1], side, side), back=True)
        self.encoder = nn.Sequential(
            ChannelsLast((3, whole, whole), back=True), *down, to_rows, *_dense([features, units]), nn.ReLU(),
            *_dense([units, 2 * k]),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            *_dense([k, units]), nn.ReLU(), *_dense([units, features]), nn.ReLU(), to_maps, *up,
            ChannelsLast((3, whole, whole), back=False),
        )  # fmt: skip


class ChannelsLast(nn.Module):
    """Maps (B, C, h, w) to rows in the order (h, w, C), or back: the order of our data."""

    def __init__(self, shape: tuple[int, int, int], back: bool):
        super().__init__()
        self.shape, self.back = shape, back

    def forward(self, x: Any) -> Any:
        C, h, w = self.shape
        if self.back:
            return x.reshape(-1, h, w, C).permute(0, 3, 1, 2)
        return x.permute(0, 2, 3, 1).reshape(len(x), -1)


def _dense(widths: list[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for i, (a, b) in enumerate(pairwise(widths)):
        layers += [nn.Linear(a, b)] + ([nn.ReLU()] if i + 2 < len(widths) else [])
    return nn.Sequential(*layers)


def loss(x: Any, y: Any, mean: Any, log_variance: Any, log_sigma2: Any) -> Any:
    """-ELBO without its constant, nats per datum."""
    n = x[0].numel()
    kl = 0.5 * (mean * mean + torch.exp(log_variance) - 1 - log_variance).sum() / len(x)
    error = ((x - y) ** 2).sum() / len(x)
    return kl + 0.5 * n * log_sigma2 + error / (2 * torch.exp(log_sigma2))


def eager(setup: dict[str, Any]) -> Run:
    """STEPS steps of one model, eager."""
    architecture, layout, X, flat, x, noise = problem(setup)
    kind = Mlp if architecture.kind == "mlp" else Convolutional
    model = kind(architecture.n, architecture.k, architecture.hidden)
    model.load(layout.views(flat))
    model(torch.tensor(x), torch.tensor(noise)).backward()
    answer = {"gradient": model.gradient(layout)}
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    data, B, at = torch.tensor(X), setup["batch"], 0
    order = torch.randperm(len(data))

    def step() -> None:
        nonlocal at, order
        if at + B > len(data):
            at, order = 0, torch.randperm(len(data))
        rows = data[order[at : at + B]]
        at += B
        optimiser.zero_grad()
        model(rows, torch.randn(B, architecture.k)).backward()
        optimiser.step()

    def run() -> dict[str, Any]:
        for _ in range(STEPS):
            step()
        return answer

    return run
