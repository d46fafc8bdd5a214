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


def test_so_many_characters_of_it():
    assert first_line(ValueError("abcdef\ng"), 3) == "abc" and first_line(ValueError("ab\nc"), 3) == "ab"
