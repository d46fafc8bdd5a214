"""The mathematics of linear variational autoencoders: objectives, landscapes, symbolic derivations, data.

References such as "theory 3.6" are to the statements of docs/mathematics.md; its section 10 is the key.
"""

__version__ = "0.1.0"
