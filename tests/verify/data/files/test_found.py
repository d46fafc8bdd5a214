"""Columns that are asked for, by their names as they are written or shown, and by numbers."""

import pytest

from verify.data.files.found import Asked, clean
from verify.errors import InputError


def refusal(words, names):
    with pytest.raises(InputError) as caught:
        Asked(columns=words).chosen(names, len(names))
    assert "\n" not in str(caught.value) and "\x1b" not in str(caught.value)
    return str(caught.value)


def chosen(word, names):
    return Asked(columns=(word,)).chosen(names, len(names))


LONG = "length of the petal " * 5
NAMES = ["a  b", LONG + "one", "two\nlines", "\x1b[31mred", ""]


@pytest.mark.parametrize("place", range(4))
def test_a_name_is_asked_for_as_it_is_written_or_as_it_is_shown(place):
    name = NAMES[place]
    assert clean(name) != name and len(clean(name)) <= 60 and clean(name).isprintable()
    assert chosen(name, NAMES) == chosen(clean(name), NAMES) == [place]
    assert chosen(name, list(map(clean, NAMES))) == [place]  # readers that have cleaned them already


def test_names_that_are_shown_alike_are_a_question_unless_written_in_full():
    names = [LONG + "one", LONG + "two"]
    assert chosen(names[1], names) == [1]
    assert "columns 1, 2 have that name; choose one by its number, as #1" in refusal((clean(LONG),), names)


def test_names_are_clean_in_messages():
    message = refusal(("alcohol",), [*NAMES, "alcohol\ncontent", "alcohols"])
    assert "did you mean alcohols?" in message and "two lines, ?[31mred, (no name)" in message
    assert "'two lines'" in refusal(("two\nlines",), ["x"])
    assert "no such column" in refusal((" ",), ["a", "", "b"])  # a blank is no name


@pytest.mark.parametrize(
    ("word", "names", "answers"),
    [
        ("1", ["0", "1", "2"], {"#2": 1, "#1": 0}),
        ("#3", ["#3", "b", "c"], {"#1": 0, "##3": 2}),
        ("#3", ["#3", "#1", "3"], {"##1": 0, "##3": 2}),
        ("3", ["3", "#1", "#3"], {"##1": 0, "##3": 2}),
        ("a", ["a", "a", "#1"], {"##1": 0}),
    ],
)
def test_the_answers_that_a_question_offers_are_accepted(word, names, answers):
    message = refusal((word,), names)
    for answer, place in answers.items():
        assert answer in message.replace(",", "").split()
        assert chosen(answer, names) == [place]
