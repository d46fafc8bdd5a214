"""Throw-away claim files for the tests of the plugin and of `prove`."""

HEAD = """
from hypothesis import given, strategies as st
import pytest
from proofs.machinery.checks import agree, rejected
from proofs.machinery.claims import Claim
"""

STEP = 'STEP = CLAIM.step("whole", "all of it")\n'

CONTROL = """
@STEP.evidence(role="control", kind="numeric")
def test_control():
    with rejected():
        agree(1.0, 2.0, tolerance=1e-3)
"""

# Two sections, four verdicts, all that a test can say.
HOLDS = f"""{HEAD}
CLAIM = Claim("eq-5", "Eq. 5", "marginal", "sigma2 > 0", section="The linear VAE")
{STEP}
@STEP.evidence(role="supports", kind="certificate", strength="certified")
@pytest.mark.parametrize("error", [1e-15, 3e-15])
def test_supports(record, thorough, error):
    for _ in range(thorough(20, 200)):
        record(instances=2, worst_error=error / 3)
    record(worst_error=error)

@STEP.evidence(role="supports", kind="property")
@given(st.integers(0, 4))
def test_search(record, n):
    record()

@STEP.evidence(role="supports", kind="symbolic", strength="proved")
def test_not_here(record):
    pytest.skip("python-flint is missing")

@STEP.evidence(role="supports", kind="device")
def test_arrays(record, xp):
    record(worst_error=agree(xp.ones(3), 1.0, tolerance=0))
{CONTROL}"""

CORRECTED = f"""{HEAD}
CLAIM = Claim(
    "eq-13", "Eq. 13", "sign", section="Probabilistic PCA", quote="as printed", fault="misprint", finding="as corrected"
)
{STEP}
@STEP.evidence(role="refutes", kind="numeric")
def test_printed_form_fails(record):
    record.witness("lam = (3, 2), sigma2 = 1: " + "a long story " * 12)

@STEP.evidence(role="corrected", kind="symbolic", strength="proved")
def test_corrected_form_holds(record):
    record(instances=1, worst_error=0)
{CONTROL}"""

UNDECIDED = f"""{HEAD}
CLAIM = Claim("eq-30", "Eq. 30", "density")
{STEP}
@STEP.evidence(role="supports", kind="certificate")
def test_supports(record):
    record.undecided("the ball holds zero")
{CONTROL}"""

# "ground" is the claim that another may rest on.
GROUND = f"""{HEAD}
CLAIM = Claim("ground", "Eq. 1", "statement")
{STEP}
@STEP.evidence(role="supports", kind="numeric")
def test_supports(record):
    record()
{CONTROL}"""

RESTS = GROUND.replace('"ground", "Eq. 1", "statement"', '"rests", "Eq. 2", "statement", rests_on=("ground",)')

NO_CONTROL = f"""{HEAD}
CLAIM = Claim("no-control", "Eq. 9", "statement")
{STEP}
@STEP.evidence(role="supports", kind="numeric")
def test_supports(record):
    record()
"""

# Each test after the first is a way to be broken; every one must be reported as failed.
FAILING = f"""{HEAD}
CLAIM = Claim("failing", "Eq. 10", "statement")
{STEP}
@STEP.evidence(role="refutes", kind="numeric")
def test_refutes(record):
    record()

@STEP.evidence(role="supports", kind="numeric")
def test_disagrees(record):
    record(worst_error=agree(1.0, 2.0, tolerance=1e-3))

@STEP.evidence(role="supports", kind="numeric")
def test_over_an_empty_range(record):
    for _ in range(0):
        record()

@STEP.evidence(role="supports", kind="numeric")
def test_measured_nothing(record):
    record(worst_error=float("nan"))

@STEP.evidence(role="supports", kind="numeric")
@pytest.mark.xfail(strict=False)
def test_expected_to_fail():
    raise AssertionError("as expected")

@pytest.fixture
def falls_apart():
    yield
    raise RuntimeError("afterwards")

@STEP.evidence(role="supports", kind="numeric")
def test_teardown(record, falls_apart):
    record()

@STEP.evidence(role="control", kind="numeric")
def test_control_accepted():
    with rejected():
        agree(1.0, 1.0, tolerance=1e-3)

@STEP.evidence(role="control", kind="numeric")
def test_control_crashed():
    with rejected():
        1 / 0

@STEP.evidence(role="control", kind="numeric")
def test_control_rejects_nothing():
    assert True
{CONTROL}"""


def write_claims(folder, **files):
    """Write test_NAME.py into `folder` for each NAME=TEXT."""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"test_{name}.py").write_text(text)
    return folder
