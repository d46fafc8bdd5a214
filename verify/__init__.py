"""The mathematics of linear variational autoencoders: objectives, landscapes, symbolic derivations, data.

What most people need stands here, and is told on one page, docs/python.md: `from verify import load, stability, ...`.
A name is imported when it is first used, so that `import verify` costs nothing.

References such as "theory 3.6" are to the statements of docs/mathematics.md; its section 10 is the key.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from verify.errors import InputError as InputError
    from verify.estimators import LinearVAE as LinearVAE
    from verify.estimators import ProbabilisticPCA as ProbabilisticPCA
    from verify.models.losses import noise_of_loss as noise_of_loss
    from verify.monitor import LatentWatch as LatentWatch
    from verify.results.certificate import certificate as certificate
    from verify.results.certificate import check_certificate as check_certificate
    from verify.results.collapse import collapse as collapse
    from verify.results.diagnosis import diagnose as diagnose
    from verify.results.inputs import load as load
    from verify.results.revival import revival as revival
    from verify.results.stability import recommended_noise as recommended_noise
    from verify.results.stability import stability as stability
    from verify.results.stationary import stationary_points as stationary_points
    from verify.results.threshold import collapse_threshold as collapse_threshold

__version__ = "0.1.0"

# Where each name lives.
_PLACES = {
    "InputError": "verify.errors",
    "LatentWatch": "verify.monitor",
    "LinearVAE": "verify.estimators",
    "ProbabilisticPCA": "verify.estimators",
    "certificate": "verify.results.certificate",
    "check_certificate": "verify.results.certificate",
    "collapse": "verify.results.collapse",
    "collapse_threshold": "verify.results.threshold",
    "diagnose": "verify.results.diagnosis",
    "load": "verify.results.inputs",
    "noise_of_loss": "verify.models.losses",
    "recommended_noise": "verify.results.stability",
    "revival": "verify.results.revival",
    "stability": "verify.results.stability",
    "stationary_points": "verify.results.stationary",
}
__all__ = sorted(_PLACES)


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(_PLACES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES})
