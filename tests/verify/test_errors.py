"""What an error says, in one line."""

import pytest

from verify.errors import first_line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\nb", "a"),
        ("raised:\n\n  b\nc", "raised: b"),
        ("raised:", "raised:"),
        ("", "ValueError"),
        ("\n ", "ValueError"),
    ],
)
def test_the_first_line_and_the_next_where_it_only_announces_it(text, expected):
    assert first_line(ValueError(text)) == expected
