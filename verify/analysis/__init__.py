"""From data to documents: what holds of somebody's covariance, latents or VAE, as plain JSON with its notes."""
