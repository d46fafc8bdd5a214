"""A diagnosis document as far as verdict and advice read it, and what differs from it."""

import copy

PLAIN = {
    "k": 4, "n": 10, "N": 1000, "collapsed": [3, 4], "sigma2": 1.0, "beta": 1.0, "loss": None, "held_out": False,
    "output": None,
    "tuned_sigma2": 0.98, "tuning_gain": 0.002, "elbo": -14.0, "elbo_from": "draws", "verdict": "optimum",
    "rescaling_nats": 0.02, "kl": [1.0, 0.5, 0.001, 0.0],
    "linear": {
        "below": 0.0, "below_error": 0.01, "beyond_noise": 3, "value": -14.0, "sigma2_mle": 0.95, "value_mle": -13.9,
        "contained": 4,
    },
    "revival": {
        "within": 0, "within_nats": 0.0, "within_error": 0.0, "bias_nats": 0.0, "directions": 0, "further_nats": 0.0,
        "at_most": None,
    },
}  # fmt: skip


def facts(**changed):
    """PLAIN with some fields changed; linear_below=3 changes one of a part."""
    made = copy.deepcopy(PLAIN)
    for name, value in changed.items():
        part, _, inner = name.partition("_")
        if part in ("linear", "revival") and inner:
            made[part][inner] = value
        else:
            made[name] = value
    return made
