"""Is it the optimum, or the training? Diagnosis of anybody's Gaussian VAE, from arrays alone."""
