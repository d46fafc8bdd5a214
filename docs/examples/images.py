"""Images: from which noise on does a VAE of handwritten digits lose its latents, and what does it see before that?

Run as it is, or cell by cell (# %%). The 1797 digits of scikit-learn are used, 8 x 8 grey values from 0 to 16.
"""

# %% The spectrum of the images is the list of noises at which latents collapse
import numpy as np

from verify import load, recommended_noise, stability, stationary_points

digits = load("digits")
print(digits)

# %% Ten latents: which noise keeps how many of them, with its uncertainty
k = 10
result = stability(digits, k)
print(result.summary())

# %% The usual default, a noise of 1, is one in the units of the pixels: the same network on images divided by 16
scaled = load("digits", scale=16)
for name, data in (("0 to 16", digits), ("0 to 1", scaled)):
    row = stability(data, k, 1.0).noise[0]
    print(f"pixels from {name}: sigma2 = 1 keeps {row['retained']} of {k} latents")

# %% On pixels from 0 to 1 the noise has to be smaller by 256
print(recommended_noise(digits, k), recommended_noise(scaled, k), recommended_noise(digits, k) / 256)

# %% All ways to get stuck at a noise that keeps four of them: every other stationary point is a saddle, with its escape
noise = float(np.mean(digits.eigenvalues[3:5]))
points = stationary_points(digits, 4, noise, top=5)
print(points.summary())

# %% What the first latents draw: the eigenvectors, as images
for j in range(2):
    image = digits.leading(2)[:, j].reshape(8, 8)
    print("\n".join("".join(" .:+#"[int(4.999 * v)] for v in row) for row in (image - image.min()) / np.ptp(image)))

# %% Which latents are kept over the noise
result.plot().figure.savefig("digits.png")
