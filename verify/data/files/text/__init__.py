"""Tables of numbers in text files, however they are delimited, compressed, and their decimals written.

Main       read_text.
"""

from verify.data.files.text.reader import read_text

__all__ = ["read_text"]
