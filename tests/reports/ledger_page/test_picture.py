"""The drawing of a ledger: every claim, fact and line is there, told by more than colour; well-formed and escaped."""

import re
import xml.etree.ElementTree as ET

import pytest

from reports.ledger_page.claims import facts
from reports.ledger_page.dot import dot
from reports.ledger_page.picture import blueprint, drawn_lines, standalone
from tests.reports.ledger_page import made_up

HOSTILE = 'a"><script>alert(1)</script> & \\'
SVG = "{http://www.w3.org/2000/svg}"


def nodes(svg):
    """By id of claim or fact: the class and the tooltip of its node."""
    found = {}
    for node in ET.fromstring(svg).iter():
        if "node" in node.get("class", "").split():
            title = node.find(f"{SVG}title").text
            found[title.partition(" (")[0].partition(":")[0]] = node.get("class"), title
    return found


def test_every_claim_and_fact_is_drawn_with_its_state():
    drawn = nodes(standalone(made_up.document()))
    kinds = {name: kind for name, (kind, _) in drawn.items()}
    assert kinds == {
        "ground": "node claim proved",
        "misprinted": "node claim proved",
        "hypothesis-missing": "node claim certified",
        "false-claim": "node claim tested",
        "in-words": "node claim argued",
        "upon-words": "node claim argued",
        "cannot-tell": "node claim undecided",
        "failing": "node claim broken",
        "svd": "node fact",
        "chain-rule": "node fact",
    }


def test_tooltips_say_verdict_strength_and_weakest_link():
    said = {name: title for name, (_, title) in nodes(standalone(made_up.document())).items()}
    assert said["ground"] == "ground (Sec. of ground): holds as stated, proved. what ground says"
    assert "holds once corrected, proved; misprint." in said["misprinted"]
    assert "false as stated, tested (weakest: step first, tested)." in said["false-claim"]
    assert "argued (weakest: rests on in-words, argued)." in said["upon-words"]
    assert "broken: its evidence fails." in said["failing"]
    assert said["svd"].startswith("svd: standard fact, trusted, not proved here. every matrix is U K R (a book")


def test_words_below_an_id_say_that_what_was_shown_is_not_the_printed_form():
    words = re.findall(r'<text class="how"[^>]*>(.*?)</text>', standalone(made_up.document()))
    assert {"proved", "corrected, proved", "corrected, certified", "refuted, tested", "undecided", "broken"} <= set(
        words
    )


def test_a_claim_whose_ground_was_not_run_has_no_strength():
    document = made_up.document(ids=("misprinted",))
    [(kind, title)] = [found for name, found in nodes(standalone(document)).items() if name == "misprinted"]
    assert kind == "node claim open" and "corrected, strength open" in standalone(document)
    assert "holds once corrected; misprint" in title


def test_lines_are_those_that_no_others_imply():
    lines = drawn_lines(made_up.document())
    assert lines["claim upon-words"] == ["claim in-words"]  # ground lies below in-words
    assert lines["claim in-words"] == ["claim ground", "fact chain-rule"]  # svd lies below ground
    assert lines["claim ground"] == ["fact svd"]
    svg = standalone(made_up.document())
    assert svg.count('<path class="rests"') == sum(one.startswith("claim") for on in lines.values() for one in on) + 1
    assert svg.count('<path class="trusts"') == sum(one.startswith("fact") for on in lines.values() for one in on) + 1
    # One more of each in the key.


def test_on_a_page_nodes_are_links_and_in_a_file_they_are_not():
    document = made_up.document()
    on_page = str(blueprint(document))
    for claim in document["claims"]:
        assert f'href="#claim-{claim["id"]}"' in on_page
    for fact in facts(document):
        assert f'href="#{fact["anchor"]}"' in on_page
    assert "href" not in standalone(document) and "<style>" not in on_page


def test_a_file_holds_its_style_for_light_and_dark():
    svg = standalone(made_up.document())
    assert "var(" not in svg and "#0072b2" in svg
    light, dark = svg.split("@media (prefers-color-scheme: dark)")
    assert "#56b4e9" in dark and "#56b4e9" not in light
    assert "8 claims: 3 holds, 2 holds with correction, 1 refuted, 1 undecided, 1 broken; 2 standard facts" in svg
    assert "a partial run" not in svg and "a partial run" in standalone(made_up.document(complete=False))


@pytest.mark.parametrize("ids", [(), ("ground",), ("cannot-tell",)])
def test_pictures_are_well_formed_and_hold_all_that_they_draw(ids):
    tree = ET.fromstring(standalone(made_up.document(ids=ids)))
    left, top, width, height = map(float, tree.get("viewBox").split())
    boxes = [box for box in tree.iter(f"{SVG}rect") if box.get("class") != "ground" and box.get("width")]
    assert boxes
    for box in boxes:
        if box.get("x") and box.get("y"):
            assert left <= float(box.get("x")) <= left + width and float(box.get("y")) <= top + height


def test_an_empty_ledger_has_a_file_and_no_element():
    empty = {"claims": [], "facts": []}
    assert blueprint(empty) is None and "none was put to the test" in standalone(empty)


def test_words_from_outside_are_escaped():
    document = made_up.renamed(HOSTILE)
    for svg in (standalone(document), str(blueprint(document))):
        assert "<script" not in svg and "&lt;script&gt;" in svg
    ET.fromstring(standalone(document))
    ET.fromstring(str(blueprint(document)))


def test_a_circle_and_arrows_to_nowhere_are_drawn_without_end():
    document = made_up.document()
    document["claims"][0]["rests_on"] = ["upon-words", "nowhere", "ground"]
    assert len(nodes(standalone(document))) == 10


def test_dot_has_the_same_nodes_and_lines():
    document = made_up.document()
    text, lines = dot(document), drawn_lines(document)
    arrows = re.findall(r'^  "(.*?)" -> "(.*?)"', text, re.MULTILINE)
    assert sorted(arrows) == sorted((one, name) for name, on in lines.items() for one in on)
    assert len(re.findall(r"label=", text)) == 10
    assert '"claim failing" [label="failing\\nbroken" shape=octagon' in text
    hostile = dot(made_up.renamed('a"b\\'))
    assert r'"claim a\"b\\"' in hostile
