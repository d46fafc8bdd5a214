"""What claims are put to the test on: spectra, linear VAEs, stationary points in words, batches on a device."""
