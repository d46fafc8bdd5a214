"""Blocks as text: sentences are filled, tables aligned, notes known again."""

from verify.words.tables import WIDTH, Table, contained, plain, short


def test_numbers_stand_to_the_right_and_words_to_the_left():
    table = Table([("noise", True), ("kind", False)], [("1", "saddle"), ("12.5", "a")])
    assert plain([table]).splitlines() == ["noise  kind", "    1  saddle", " 12.5  a"]


def test_long_sentences_are_filled_and_tables_are_not():
    text = plain(["word " * 40, Table([("x", True)], [("9" * 120,)])])
    sentence, table = text.split("\n\n")
    assert max(map(len, sentence.splitlines())) <= WIDTH and len(sentence.splitlines()) > 1 and "9" * 120 in table


def test_lines_keep_their_indentation_when_they_are_broken():
    lines = plain(["1. Why\n  " + "word " * 40]).splitlines()
    assert lines[0] == "1. Why" and len(lines) > 2 and all(line.startswith("  word") for line in lines[1:])


def test_a_number_that_is_not_known_is_a_dash():
    assert (short(None), short(1 / 3), short(1 / 3, 2)) == ("-", "0.333333", "0.33")


def test_a_note_is_known_again_whatever_doubt_it_names():
    assert contained("rounding: lam_2 is open", "At 1, Lam_2 is open.") and not contained("lam_3 is open", "lam_2 is")
