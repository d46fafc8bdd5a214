"""Claims on probabilistic PCA."""
