"""A table of genes, with fewer samples than genes: how many latents can it carry, and at which noise?

Run as it is, or cell by cell (# %%). The table is made up here, so that what is in it is known: counts of 400 genes in
60 samples, with three programmes of genes that rise and fall together.
"""

# %% A table in a file, as it comes from others: a name of each sample, then counts
import csv

import numpy as np

from verify import load, recommended_noise, stability

rng = np.random.default_rng(1)
samples, genes = 60, 400
programmes = rng.standard_normal((samples, 3)) * [0.9, 0.6, 0.45]
members = rng.random((3, genes)) < 0.25
counts = rng.poisson(np.exp(rng.normal(4.0, 1.0, genes) + programmes @ (members * rng.choice([-1, 1], (3, genes)))))

with open("genes.csv", "w", newline="") as file:
    table = csv.writer(file)
    table.writerow(["sample", *(f"gene{j + 1}" for j in range(genes))])
    table.writerows([f"s{i + 1}", *row] for i, row in enumerate(counts.tolist()))

# %% What is read of it, and what is left aside, is said
raw = load("genes.csv")
print(raw)
print(raw.provenance["read"])

# %% Counts vary as much as they are large: of raw ones the loudest genes are all that a Gaussian model sees
print("share of the variance in the first direction:", round(raw.eigenvalues[0] / raw.eigenvalues.sum(), 2))
expression = np.log1p(counts)
data = load(expression)
print(data.eigenvalues[:6].round(1), "rank", data.rank)

# %% 60 samples span at most 59 directions of 400: a noise of 0 would fit them, and a learned one is to be looked at
k = 8
result = stability(data, k)
print(result.summary())

# %% Which directions are more than sampling noise? The notes say it, and each eigenvalue has its standard error
for note in result.notes:
    print("-", note)
for j, threshold in enumerate(result.thresholds[:5], start=1):
    print(f"latent {j} collapses at sigma2 = {threshold['eigenvalue']:.3g} +- {threshold['standard_error']:.2g}")

# %% With as many latents as there are programmes, the noise to start from, and what a smaller or larger one would do
noise = recommended_noise(data, 3)
at = stability(data, 3, [noise, float(data.eigenvalues[1]), 2 * float(data.eigenvalues[0])])
for row in at.noise:
    print(f"sigma2 = {row['sigma2']:.3g}: {row['retained']} of 3 latents are kept")

# %% The same as a picture
at.plot().figure.savefig("genes.png")
