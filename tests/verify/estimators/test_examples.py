"""The examples in the docstrings, run."""

import doctest
import importlib

import pytest


@pytest.mark.parametrize("name", ["probabilistic_pca", "linear_vae"])
def test_the_examples_are_true(name):
    module = importlib.import_module(f"verify.estimators.{name}")
    found = doctest.testmod(module)
    assert found.attempted >= 5 and found.failed == 0
