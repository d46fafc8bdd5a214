"""What the linear theory says of every Gaussian VAE, however deep: claims of ours."""
