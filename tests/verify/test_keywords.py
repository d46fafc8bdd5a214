"""Options are said as Python writes them."""

import pytest

from verify.errors import InputError
from verify.keywords import in_python, speaking_python


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("leave it out (--drop alcohol)", 'leave it out (drop="alcohol")'),
        ("leave it out (--drop 'b c'); then", 'leave it out (drop="b c"); then'),
        ("leave it out (--drop '#2')", 'leave it out (drop="#2")'),
        ("(--drop malic.acid-2%)", '(drop="malic.acid-2%")'),
        ("(--drop 'b'\"'\"'c')", '(drop="b\'c")'),
        ("(--drop '\"')", '(drop="\\"")'),
        ("say --missing drop, or --missing mean.", 'say missing="drop", or missing="mean".'),
        ("say --decimal ,; if two, --decimal .", 'say decimal=","; if two, decimal="."'),
        ("say --header yes or --header no", "say header=True or header=False"),
        ("say --scale 255, --standardize, --decimal , if", 'say scale=255, standardize=True, decimal="," if'),
        ("take --objective elbo", 'take objective="elbo"'),
        ("list fewer with --top", "list fewer with top"),
        ("of a--b and --k", "of a--b and k"),
        ("either --sigma2 S, or --loss KIND as", "either sigma2, or loss as"),
        ("say --latents FILE (mu and logvar), or", "say mu= and logvar=, or"),
        ("that --save-escape writes", "that save_escape writes"),
        ("elbo-verify stability --beta tells", "verify.stability(..., beta=...) tells"),
        ("where it is not --learned-noise", "where it is not sigma2=None"),
    ],
)
def test_each_option_is_said_in_python(text, wanted):
    assert in_python(text) == wanted


def test_errors_of_a_block_speak_python():
    with pytest.raises(InputError, match=r'^take objective="elbo"$'), speaking_python():
        raise InputError("take --objective elbo")
    with pytest.raises(KeyError), speaking_python():  # control: nothing else is touched
        raise KeyError("--top")
