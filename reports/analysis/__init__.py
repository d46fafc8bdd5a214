"""From a covariance, or somebody's latents, to documents: plain JSON, "schema": 1, a schema each in reports/schema/."""
