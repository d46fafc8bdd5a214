"""Is it the optimum, or the training? The result of `diagnose`, from what a VAE made of its data to an object.

Notation   x (N, n) the data; mu, logvar (N, k) what the encoder says; k latents; sigma2 the noise.
Main       diagnose -> DiagnosisResult.
Reference  theory 6; reports/schema/diagnose.json.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack

from verify.analysis.collapse import Proportion
from verify.analysis.latents import Latents, read_latents
from verify.analysis.latents_in_memory import given_latents
from verify.arrays import Array
from verify.data.files.objects import to_array
from verify.data.rows import Rows
from verify.data.sources import Options, load_rows
from verify.data.writing import write_npz
from verify.diagnosis.asked import noise_asked, one_noise
from verify.diagnosis.document import Asked, Diagnosis, diagnosis
from verify.diagnosis.files import in_one_file, of_names, read_arrays
from verify.diagnosis.outputs import outputs
from verify.errors import InputError, about
from verify.keywords import in_python, speaking_python
from verify.landscape.collapse import DELTA, EPSILON
from verify.landscape.revival import Escape
from verify.landscape.weighted import PLAIN
from verify.results.base import Document, Result, latents
from verify.words.diagnosis import said
from verify.words.tables import Blocks

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class DiagnosisResult(Result):
    """Whether collapse is the optimum or the training, what the latents miss, and what to change."""

    row = "latent"
    n: int
    k: int
    N: int
    sigma2: float
    beta: float
    elbo: float | None
    elbo_error: float | None
    kl: Array
    kl_total: float
    collapsed: Array
    active_units: int
    second_moment: Array
    tuned_sigma2: float | None
    tuning_gain: float | None
    linear: Document
    revival: Document | None
    any_decoder: Document | None
    advice: list[Document]

    def __init__(self, document: Document, found: Diagnosis):
        super().__init__(document)
        self._escape = found.escape
        self._arrays = {} if found.escape is None else found.escape_arrays()

    @property
    def cause(self) -> str:
        """The verdict in one word: optimum, noise, training, data, mixed or undecided."""
        return str(self._document["verdict"])

    @property
    def escape(self) -> Escape | None:
        """The best linear latents to add: U (n, m), V (m, n), D (m,), b (n,), center (n,); None without a residual.

        It encodes x - f(mu) where reconstructions were given; `save_escape` says what it encodes otherwise.
        """
        return self._escape

    def save_escape(self, path: str | os.PathLike[str]) -> None:
        """These arrays as a file .npz.  Raises InputError where there is nothing to add."""
        if self._escape is None or not (self._escape.latents or self._escape.b.any()):
            raise InputError(f"{path}: there is no escape to write; no linear latent is known to pay at this noise")
        write_npz(Path(path), **self._arrays)

    def said(self) -> Blocks:
        """The verdict, and under each of the four questions its answer."""
        return said(self._document)

    def records(self) -> list[Document]:
        """One row for each latent."""
        return latents(self._document)

    def draw(self, axes: "Axes") -> None:
        """What each latent says, beside what each further direction of the mean residual would add."""
        from verify.pictures.said_and_unsaid import draw

        draw(axes, self._document)


class _Given(NamedTuple):
    data: Any
    latents: Latents
    reconstructions: Any
    samples: Any


def diagnose(
    data: Any,
    mu: Any = None,
    logvar: Any = None,
    *,
    var: Any = None,
    std: Any = None,
    reconstructions: Any = None,
    samples: Any = None,
    sigma2: float | None = None,
    loss: str | None = None,
    beta: float = PLAIN,
    kl: str | None = None,
    batch: int | None = None,
    k: int | None = None,
    hidden: Sequence[int] = (),
    output: str | None = None,
    held_out: bool = False,
    epsilon: float = EPSILON,
    delta: Proportion = DELTA,
    certify: bool = False,
    **options: Unpack[Options],
) -> DiagnosisResult:
    """Is the collapse of a trained VAE the optimum or its training, and what to change (theory 6).

    data: the rows (N, n) as the model saw them, whatever `load` takes, with its options.  mu with one of logvar, var or
    std (N, k): what the encoder says of them.  reconstructions (N, n): the decoder at z = mu.  samples (N, n) or
    (draws, N, n): the decoder at draws of z; the ELBO needs them.  Or data alone: a dictionary, or the name of a .npz
    or .safetensors file, with the arrays x, mu, logvar, reconstructions and samples.

    The loss that was minimised: sigma2, the noise of a Gaussian likelihood; or loss, beta, kl and batch as
    `noise_of_loss` takes them.  k: latents of the linear VAE to compare with.  hidden: widths of ReLU layers.  output:
    "linear", or "bounded" by a sigmoid.  held_out: the rows were not trained on.  certify: prove, in exact arithmetic
    for these very rows, what the linear VAE keeps and between which noises every decoder begins to collapse: a minute
    on some thousand rows; who interrupts it gets the diagnosis with what was proved by then.  Raises InputError.
    """
    with speaking_python():
        one_noise(sigma2, loss, kl, batch)
        given = _given(data, mu, {"logvar": logvar, "var": var, "std": std}, reconstructions, samples)
        rows = given.data if isinstance(given.data, Rows) else load_rows(given.data, **options)
        n, of_model = rows.shape[1], given.latents.mu.shape[1]
        noise = noise_asked(sigma2, loss, n=n, k=of_model, beta=beta, kl=kl, batch=batch)
        asked = Asked(noise, beta, hidden, held_out, k, output, epsilon, delta, options.get("seed", 0), certify=certify)
        notes = tuple(given.latents.notes)
        vae = outputs(rows, given.latents.mu, given.latents.logvar, given.reconstructions, given.samples, notes)
        found = diagnosis(vae, asked)
    return DiagnosisResult(_in_python(found.document), found)


def _given(data: Any, mu: Any, spreads: Mapping[str, Any], reconstructions: Any, samples: Any) -> _Given:
    """Everything by what it is, out of arguments, a dictionary or a file."""
    made = {"reconstructions": reconstructions, "samples": samples}
    arrays = {name: None if array is None else _array(array, name) for name, array in made.items()}
    if mu is not None:
        return _Given(data, given_latents(mu, **spreads), arrays["reconstructions"], arrays["samples"])
    more = [name for name, array in (*spreads.items(), *made.items()) if array is not None]
    if more:
        raise InputError(
            f"{', '.join(more)} without mu; give mu (N, k), or a dictionary or a file of all and nothing else"
        )
    if isinstance(data, Mapping):
        held = of_names("the dictionary", data)
        if held.data is None:
            raise InputError(f"the dictionary holds {', '.join(map(str, data)) or 'nothing'}: call the data x")
        found = (
            None if array is None else _array(array, name)
            for name, array in (("reconstructions", held.reconstructions), ("samples", held.samples))
        )
        return _Given(held.data, given_latents(data), *found)
    if isinstance(data, str | os.PathLike):
        word, files = in_one_file(os.fspath(data))
        held = read_arrays(str(files[0]))
        return _Given(word, read_latents(files), held.reconstructions, held.samples)
    raise InputError("where are the latents? give mu and logvar (N, k) after the data, or a dictionary or file of all")


def _array(given: Any, name: str) -> Array:
    try:
        return to_array(given)
    except InputError as error:
        raise about(name, error) from None


def _in_python(document: Document) -> Document:
    """Notes and advice in the words of Python."""
    advice = [{**line, "change": in_python(line["change"])} for line in document["advice"]]
    return document | {"advice": advice, "notes": [in_python(note) for note in document["notes"]]}
