"""axe-core finds nothing serious on any page, and does find what is wrong with a bad one."""

import pytest

from tests.browser import axe, pages


@pytest.fixture(scope="session")
def script():
    try:
        return axe.source()
    except axe.Missing as missing:
        pytest.skip(str(missing))


@pytest.mark.parametrize(("width", "dark"), [(420, False), (1400, True)])
@pytest.mark.parametrize("name", pages.PAGES)
def test_axe_finds_nothing_serious(built, page_of, script, name, width, dark):
    found = axe.sentences(axe.violations(page_of(built(name), width, dark=dark).page, script))
    assert not found, "\n" + "\n".join(found)


def test_axe_finds_what_is_wrong(page_from, script):
    body = '<h1>Bad</h1><img src="data:,"><p style="color: #bbb; background: #fff">pale words</p>'
    found = axe.sentences(axe.violations(page_from(body).page, script))
    assert len(found) == 2
    assert any("image-alt" in line for line in found) and any("color-contrast" in line for line in found)
