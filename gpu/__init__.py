"""The same numbers by the million: what runs on a device, each beside its NumPy twin."""
