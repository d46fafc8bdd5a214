"""What theory says of the objectives: stationary points, spectra, stability, slices, collapse."""
