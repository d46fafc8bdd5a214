"""Claims on the linear VAE, and what only they share: stationary points, axes, encoders that are products."""
