"""Documents as JSON."""

import json

import numpy as np
import pytest

from verify.data.documents import to_json


def test_json_holds_no_infinity_and_keeps_full_precision():
    text = to_json({"x": np.float64(0.1), "y": float("inf"), "z": [np.int64(3), float("nan")]})
    assert json.loads(text, parse_constant=pytest.fail) == {"x": 0.1, "y": None, "z": [3, None]}
