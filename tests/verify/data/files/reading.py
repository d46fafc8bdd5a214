"""What the tests of the readers share: a file read, and the one line with which it is refused."""

import pytest

from verify.data.files import formats
from verify.data.files.found import Asked
from verify.errors import InputError


def read(word, **asked):
    """FILE or FILE:name as the command line reads it."""
    path, member = formats.split(str(word))
    return formats.read(path, Asked(member=member, **asked))


def refusal(word, **asked):
    """The one line with which a file is refused; it names the file."""
    with pytest.raises(InputError) as caught:
        read(word, **asked)
    message = str(caught.value)
    assert message and "\n" not in message and str(formats.split(str(word))[0]) in message
    return message
