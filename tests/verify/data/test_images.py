"""Photographs as rows: cut, resized, in order, and every way in which a folder or an archive can be bad."""

import io
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_images

from verify.data import load, load_rows
from verify.data.images import Images
from verify.errors import InputError


def picture(seed, width=178, height=218):
    """A smooth random picture (height, width, 3) uint8: JPEG keeps it to a few grey values."""
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 4, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def encoded(pixels, kind="png"):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(
        buffer, {"jpg": "JPEG", "png": "PNG"}[kind], **({"quality": 95} if kind == "jpg" else {})
    )
    return buffer.getvalue()


NAMES = ["000002.png", "000001.jpg", "000010.JPEG"]


@pytest.fixture
def folder(tmp_path):
    """Three pictures, seeds 0 1 2 in the order of NAMES, and what is no picture."""
    there = tmp_path / "faces"
    there.mkdir()
    for seed, name in enumerate(NAMES):
        (there / name).write_bytes(encoded(picture(seed), "png" if name.endswith("png") else "jpg"))
    (there / "list.txt").write_text("no picture")
    (there / "._000003.png").write_bytes(b"what a Mac leaves behind")
    return there


def archived(folder, path, prefix="img_align_celeba/"):
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.iterdir():
            archive.write(file, prefix + file.name)
    return path


def refusal(spec, **options):
    with pytest.raises(InputError) as caught:
        load(spec, **options)
    message = str(caught.value)
    assert message and "\n" not in message
    return message


def naive_resize(pixels):
    """The centred square of a picture, reduced by Pillow's definition of its bilinear filter: a triangle as wide as one
    new pixel on either side, over rows and over columns."""
    height, width, _ = pixels.shape
    side = min(width, height)
    top, left = (height - side) // 2, (width - side) // 2
    x = pixels[top : top + side, left : left + side].astype(float)
    scale = side / 64
    centres = (np.arange(64) + 0.5) * scale
    weights = np.maximum(0, 1 - np.abs((np.arange(side) + 0.5 - centres[:, None]) / max(scale, 1)))
    weights /= weights.sum(axis=1, keepdims=True)
    return np.einsum("iy,yxc,jx->ijc", weights, x, weights, optimize=True)


def test_images_are_cut_resized_and_in_the_order_of_their_names(folder):
    rows = load_rows(f"celeba:{folder}")
    assert rows.shape == (3, 12288)
    for row, seed in zip(rows.array(), (1, 0, 2), strict=True):
        # PNG: two roundings to whole grey values, after rows and after columns; JPEG at quality 95: a few more.
        expected = naive_resize(picture(seed)).ravel()
        assert np.abs(row - expected).max() < (1.1 if seed == 0 else 8)
        assert np.abs(row.reshape(64, 64, 3)[::-1].ravel() - expected).max() > 30  # control: upside down


def test_an_archive_gives_what_the_folder_gives(folder, tmp_path):
    path = archived(folder, tmp_path / "faces.zip", prefix="")
    one, other = load_rows(f"celeba:{folder}"), load_rows(f"celeba:{path}")
    assert np.array_equal(one.array(), other.array())
    assert one.provenance["sha256"] == other.provenance["sha256"]
    assert load_rows(f"celeba:{archived(folder, tmp_path / 'deep.zip')}").shape == (3, 12288)
    (folder / NAMES[0]).write_bytes(encoded(picture(9)))
    assert load_rows(f"celeba:{folder}").provenance["sha256"] != one.provenance["sha256"]
    assert one.provenance["name"] == "celeba:faces"  # not where it lies
    assert one.provenance["image"] == [64, 64, 3] == other.provenance["images"]["resized"]


def test_images_are_decoded_when_their_rows_are_asked_for(folder):
    raw = load_rows(f"celeba:{folder}").raw
    read = []
    watched = Images(raw.count, lambda i: read.append(i) or raw.read(i))
    assert read == []
    assert watched[1:].shape == (2, 12288) and read == [1, 2]
    assert np.array_equal(watched[-1], watched[0:3][2]) and watched[2:9].shape == (1, 12288)
    assert watched.dtype == np.uint8 and len(watched) == 3 and watched.size == 3 * 12288


def test_images_go_through_the_logit(folder):
    rows = load_rows(f"celeba:{folder}", logit=0.05)
    y = rows.float32_array()
    back = (1 / (1 + np.exp(-y)) - 0.05) / 0.9
    assert np.abs(back - (load_rows(f"celeba:{folder}").array() + 0.5) / 256).max() < 0.5 / 256 + 1e-6
    assert rows.provenance["preprocessing"] == {"logit": 0.05, "levels": 256, "dequantised": True}
    assert rows.provenance["log_scale_jacobian"] == pytest.approx(-12288 * np.log(256))


@pytest.mark.parametrize("mode", ["L", "P"])
def test_grey_and_palette_images_become_colours(folder, mode):
    path = folder / NAMES[0]
    Image.open(path).convert(mode).save(path)
    expected = np.asarray(Image.open(path).convert("RGB").crop((0, 20, 178, 198)).resize((64, 64), 2))
    assert np.array_equal(load_rows(f"celeba:{folder}").array()[1], expected.ravel())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (encoded(picture(0, 100, 218)), "100 x 218 pixels, but the first image has 178 x 218"),
        (encoded(picture(0, 60, 218)), "60 x 218 pixels, fewer than 64 x 64"),
        (encoded(picture(0))[:2000], "damaged"),
        (encoded(picture(0))[:20], "damaged"),
        (encoded(picture(0), "jpg")[:3000], "damaged"),
        (encoded(picture(0))[:400] + bytes(200) + encoded(picture(0))[600:], "damaged"),
        (b"", "damaged"),
        (b"GIF89a" + bytes(100), "damaged or not a JPEG or PNG"),
        (encoded(np.zeros((218, 178, 4), np.uint8)), "pixels of kind RGBA"),
        (encoded(np.zeros((218, 178), np.uint16)), "pixels of kind I;16"),
    ],
    ids=["size", "small", "cut", "header", "cut jpeg", "hole", "empty", "gif", "transparent", "16 bits"],
)
@pytest.mark.parametrize("where", ["folder", "archive"])
def test_a_bad_image_is_named(folder, tmp_path, content, words, where):
    (folder / NAMES[2]).write_bytes(content)
    source = folder if where == "folder" else archived(folder, tmp_path / "faces.zip")
    message = refusal(f"celeba:{source}")
    assert words in message and NAMES[2] in message and str(source) in message


@pytest.mark.parametrize(
    "name", ["../000003.png", "a/../../b.png", "/etc/b.png", "C:\\b.png", "..\\b.png", "a/../b.txt"]
)
def test_an_archive_whose_paths_climb_is_refused_whole(folder, tmp_path, name):
    path = archived(folder, tmp_path / "faces.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, encoded(picture(3)))
    assert "leads out of it" in refusal(f"celeba:{path}")


def test_a_damaged_archive_is_refused(folder, tmp_path):
    path = archived(folder, tmp_path / "faces.zip")
    good = path.read_bytes()
    for content in (b"", good[:100], good[:-30]):
        path.write_bytes(content)
        assert "truncated or damaged" in refusal(f"celeba:{path}")
    path.write_bytes(good[:500] + bytes(50) + good[550:])  # a checksum of a member is wrong
    assert "damaged" in refusal(f"celeba:{path}")


def test_an_image_too_large_to_be_one_is_not_decoded(folder, monkeypatch):
    monkeypatch.setattr("verify.data.images._LARGEST_FILE", 1000)
    assert "larger than 0 MB" in refusal(f"celeba:{folder}")


def test_nothing_there_is_said(tmp_path):
    assert "no such file" in refusal(f"celeba:{tmp_path / 'nowhere'}")
    assert "holds no .jpg or .png image" in refusal(f"celeba:{tmp_path}")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.txt", "nothing")
    assert "holds no .jpg or .png image" in refusal(f"celeba:{tmp_path / 'a.zip'}")


@pytest.mark.parametrize("spec", ["celeba", "patches:5"])
def test_without_pillow_it_says_what_to_install(folder, spec, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    spec = f"celeba:{folder}" if spec == "celeba" else spec
    assert "pip install pillow" in refusal(spec)


# --- patches ------------------------------------------------------------------------------------------------


def test_patches_are_places_of_the_photographs_and_differ():
    rows = load_rows("patches:40", seed=3)
    assert rows.shape == (40, 12288)
    assert rows.provenance["image"] == [64, 64, 3]
    found = rows.array().reshape(40, 64, 64, 3)
    places = set()
    for patch in found:
        for p, photograph in enumerate(load_sample_images().images):
            corners = np.argwhere((photograph[:-63, :-63] == patch[0, 0]).all(axis=2))
            places |= {(p, i, j) for i, j in corners if np.array_equal(photograph[i : i + 64, j : j + 64], patch)}
    assert len(places) == 40 and {p for p, *_ in places} == {0, 1}


def test_patches_depend_on_the_seed_and_say_so():
    one, same, other = (load_rows("patches:20", seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one.array(), same.array()) and one.provenance == same.provenance
    assert not np.array_equal(one.array(), other.array())
    assert one.provenance["rows"]["sha256"] != other.provenance["rows"]["sha256"]
    assert one.provenance["sha256"] == other.provenance["sha256"]
    assert load_rows("patches").shape == (10000, 12288)


@pytest.mark.parametrize("number", ["0", "1", "420057", "-5", "1e3", "", "two", "9" * 5000])
def test_a_bad_number_of_patches_is_refused(number):
    assert "patches:" in refusal(f"patches:{number}") and len(refusal(f"patches:{number}")) < 200
