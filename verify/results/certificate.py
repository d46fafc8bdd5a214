"""Certificates from Python: what is proved of data, kept as a file, and checked again.

Notation   k latents; sigma2 the noise; beta the weight of the KL.
Main       certificate -> CertificateResult; check_certificate -> CheckResult.
Reference  docs/certificates.md; reports/schema/certify.json.
"""

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from verify import __version__
from verify.analysis.certificate import asked, checked, made, of_reading
from verify.certify import files, sources
from verify.certify.checker.outcome import Status
from verify.data.sources import Options
from verify.data.writing import atomic, writable
from verify.errors import InputError
from verify.keywords import in_python, speaking_python
from verify.landscape.weighted import PLAIN
from verify.results.base import Document, Result
from verify.words.certificate import said
from verify.words.tables import Blocks

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class CheckResult(Result):
    """What became of every statement of a certificate."""

    row = "statement"
    data: str
    sha256: str
    N: int | None
    n: int
    read: str | None
    statements: list[Document]
    proved: int
    refuted: int
    undecided: int

    def __bool__(self) -> bool:
        raise TypeError("what became of statements is no bool; ask for the status, or how many are proved")

    def said(self) -> Blocks:
        """How many statements are proved, and each of them with the reason."""
        return said(self._document)

    def records(self) -> list[Document]:
        """One row for each statement."""
        return self.statements

    @property
    def status(self) -> Status:
        """Of all statements together, and no bool: refuted where one is, proved where all are, else undecided."""
        if self.refuted:
            return Status.REFUTED
        return Status.PROVED if self.statements and not self.undecided else Status.UNDECIDED

    def draw(self, axes: "Axes") -> None:
        """The statements, one below the other, by what became of them."""
        from verify.pictures.statements import draw

        draw(axes, self._document)


class CertificateResult(CheckResult):
    """What could be proved of data at one noise, and the certificate of it."""

    k: int
    sigma2: float
    beta: float

    def __init__(self, document: Document, certificate: files.Certificate, data: Any, options: Options):
        super().__init__(document)
        self._certificate, self._of = certificate, (data, options)

    def save(self, path: str | PathLike[str]) -> None:
        """The certificate as a file that `check_certificate` reads.  Raises InputError: nothing is proved."""
        with speaking_python():
            save(self._certificate, Path(path), *self._of)


def save(certificate: files.Certificate, path: Path, data: Any, options: Options) -> None:
    """Write a certificate whole or not at all, with how its data are read again from there.  Raises InputError.

    Never over these data.
    """
    if not certificate["statements"]:
        raise InputError("nothing is proved: there is no certificate to write")
    if sources.read_from(data, writable(path)):
        raise InputError(f"{path}: holds the data that the certificate is of; name another file")
    source = sources.described(data, options, path.absolute().parent)
    held = files.written({**certificate, "made_by": f"elbo-verify {__version__}", "source": source})
    with atomic(path) as file:
        file.write(held)


def certificate(
    data: Any, k: int, sigma2: float, *, beta: float = PLAIN, **options: Unpack[Options]
) -> CertificateResult:
    """What can be proved of the optimum with k latents at the noise sigma2: statements, each with its evidence.

    data: rows, whatever `load` takes, with its options, or "eigenvalues:6,4,2.5".  Raises InputError.
    """
    with speaking_python():
        read = sources.reading(data, options)
        document, found = made(read.subject, read.name, asked(read.subject, k, sigma2, beta))
    return CertificateResult(_in_python(of_reading(document, read)), found, data, options)


def check_certificate(
    path: str | PathLike[str], data: Any = None, *, data_dir: str | PathLike[str] | None = None
) -> CheckResult:
    """Check every statement of a certificate, without the search.

    data: what it is of, where the certificate does not say where that lies, or it has moved; read with the options of
    then.  data_dir: where mnist lies.  Raises InputError: damaged, of another version, of other data.
    """
    with speaking_python():
        return CheckResult(_in_python(checked(Path(path), data, data_dir)))


def _in_python(document: Document) -> Document:
    read = None if document["read"] is None else in_python(document["read"])
    return document | {"read": read, "notes": [in_python(note) for note in document["notes"]]}
