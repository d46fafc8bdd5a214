"""A VAE of one's own: was it the loss, or the training?  Run as it is, or cell by cell (# %%).

The VAE here is forty lines of NumPy, so that the example needs nothing else. Of yours only the arrays at the end of a
training are used: what it was given, mu, logvar, reconstructions. docs/pytorch.md tells how to get them out of PyTorch.
"""

# %% The data, between 0 and 1 as networks like them: 1797 digits of 8 x 8
import numpy as np
from sklearn.datasets import load_digits

from verify import LatentWatch, diagnose, noise_of_loss, recommended_noise

x = load_digits().data / 16
n, k, hidden = x.shape[1], 6, 48
rng = np.random.default_rng(0)


# %% Somebody's VAE: one hidden layer on each side, trained with Adam
def new_model():
    shapes = {"A": (n, hidden), "M": (hidden, k), "L": (hidden, k), "B": (k, hidden), "C": (hidden, n)}
    model = {name: rng.standard_normal(shape) / np.sqrt(shape[0]) for name, shape in shapes.items()}
    return model | {"a": np.zeros(hidden), "m": np.zeros(k), "b": np.zeros(hidden), "c": x.mean(axis=0)}


def encode(model, x):
    h = np.tanh(x @ model["A"] + model["a"])
    return h @ model["M"] + model["m"], h @ model["L"]


def decode(model, z):
    return np.tanh(z @ model["B"] + model["b"]) @ model["C"] + model["c"]


def gradient(model, x, error_weight, kl_weight):
    """Of error_weight |x - f(z)|^2 + kl_weight KL, the mean over a batch; and the latents of it."""
    h = np.tanh(x @ model["A"] + model["a"])
    mu, logvar = h @ model["M"] + model["m"], h @ model["L"]
    noise = np.exp(logvar / 2) * rng.standard_normal(mu.shape)
    g = np.tanh((mu + noise) @ model["B"] + model["b"])
    df = 2 * error_weight * (g @ model["C"] + model["c"] - x) / len(x)
    dg = df @ model["C"].T * (1 - g**2)
    dz = dg @ model["B"].T
    dmu = dz + kl_weight * mu / len(x)
    dlogvar = dz * noise / 2 + kl_weight * np.expm1(logvar) / 2 / len(x)
    dh = (dmu @ model["M"].T + dlogvar @ model["L"].T) * (1 - h**2)
    gradients = {"C": g.T @ df, "c": df.sum(0), "B": (mu + noise).T @ dg, "b": dg.sum(0), "L": h.T @ dlogvar}
    return gradients | {"M": h.T @ dmu, "m": dmu.sum(0), "A": x.T @ dh, "a": dh.sum(0)}, mu, logvar


def train(model, loss, epochs, watch, rate=2e-3):
    first, second, step = dict.fromkeys(model, 0.0), dict.fromkeys(model, 0.0), 0
    for _ in range(epochs):
        for rows in np.array_split(rng.permutation(len(x)), 18):
            gradients, mu, logvar = gradient(model, x[rows], loss.a, loss.b)
            watch.add(mu, logvar)
            step += 1
            for name, g in gradients.items():
                first[name] = 0.9 * first[name] + 0.1 * g
                second[name] = 0.999 * second[name] + 0.001 * g * g
                ratio = first[name] / (1 - 0.9**step) / (np.sqrt(second[name] / (1 - 0.999**step)) + 1e-8)
                model[name] = model[name] - rate * ratio
        watch.epoch_end()
        for message in watch.warn():
            print(message)


def outputs(model, draws=2):
    """What any VAE has to give: x, mu, logvar, f(mu) and f at independent draws of z."""
    mu, logvar = encode(model, x)
    z = mu + np.exp(logvar / 2) * rng.standard_normal((draws, *mu.shape))
    return {"x": x, "mu": mu, "logvar": logvar, "reconstructions": decode(model, mu), "samples": decode(model, z)}


# %% 1. The careless loss: squared error averaged over the pixels, KL summed over the latents
loss = noise_of_loss("mse-mean", n=n, k=k)
print(f"{loss.words}: the noise is {loss.sigma2:g}")
careless, watch = new_model(), LatentWatch(x, k, loss="mse-mean")
train(careless, loss, epochs=30, watch=watch)

# %% The watch knew it after one epoch: at a noise of 32 no decoder can use a latent. The diagnosis says what to change
print("to be stopped:", watch.should_stop, "- active units at the end:", watch.log()["active_units"])
first = diagnose(outputs(careless), loss="mse-mean")
print(first.summary())

# %% 2. The noise that was advised, as a weight of the KL; and, impatiently, a few epochs only
noise = round(recommended_noise(x, k), 3)
loss = noise_of_loss("mse-sum", n=n, k=k, beta=2 * noise)
impatient = new_model()
train(impatient, loss, epochs=5, watch=LatentWatch(x, k, sigma2=noise))
second = diagnose(outputs(impatient, draws=10), loss="mse-sum", beta=2 * noise)
print(second.summary())

# %% 3. What linear latents would add is a promise: it is kept when they are installed as they are
escape = second.escape


def elbo(model, escape=None, draws=100):
    """Nats per datum at this noise, from draws of its own; with the escape, f(z) + b + U w."""
    mu, logvar = encode(model, x)
    divergence = 0.5 * (mu**2 + np.expm1(logvar) - logvar).sum()
    w = (x - decode(model, mu) - escape.center) @ escape.V.T if escape else np.zeros((len(x), 0))
    if escape:
        divergence += 0.5 * (w**2 + escape.D - 1 - np.log(escape.D)).sum()
    error = 0.0
    for _ in range(draws):
        xhat = decode(model, mu + np.exp(logvar / 2) * rng.standard_normal(mu.shape))
        if escape:
            xhat += escape.b + (w + np.sqrt(escape.D) * rng.standard_normal(w.shape)) @ escape.U.T
        error += ((x - xhat) ** 2).sum() / draws
    return -(divergence + error / (2 * noise)) / len(x) - n / 2 * np.log(2 * np.pi * noise)


before, after = elbo(impatient), elbo(impatient, escape)
print(f"promised {second.revival['nats']:.1f} nats, brought {after - before:.1f}")

# %% 4. More epochs bring as much without further latents: it was the training, and not the objective
train(impatient, loss, epochs=100, watch=LatentWatch(x, k, sigma2=noise))
third = diagnose(outputs(impatient, draws=10), loss="mse-sum", beta=2 * noise)
print(third.summary())
print(f"ELBO {before:.1f}, then {elbo(impatient):.1f}; a linear VAE at this noise {third.linear['value']:.1f}")
