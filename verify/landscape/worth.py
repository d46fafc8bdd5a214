"""From where on a difference is worth saying: what verdicts, advice and sentences of a diagnosis have in common.

Main       WORTH, ERRORS, MINOR, SAME_NOISE, MOMENT.
"""

# Fewer nats than this are no reason to train again; and what chance explains, in standard errors, is none either.
WORTH, ERRORS = 0.1, 3.0
# Beside what another noise would bring, this share of it is none.
MINOR = 0.01
# A noise that the model's own error undercuts by less than this counts as the right one.
SAME_NOISE = 0.9
# A second moment this far from 1 is no jitter of training.
MOMENT = 0.1
