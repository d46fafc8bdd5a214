"""Objectives with value, gradient, Hessian-vector product and dense Hessian: pPCA and the linear VAE."""
