"""Claims on Bernoulli pPCA, and the problems that only they share."""
