"""The mathematics of linear variational autoencoders: objectives, landscapes, symbolic derivations, data."""

__version__ = "0.1.0"
