import math
import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, features

from ampose.errors import InputError
from ampose.media import frames, load_photo, media_kind, photo_paths, photos, write_png
from ampose.media.folders import natural_key
from ampose.media.photos import MAX_PIXELS

# Four quadrants: red, green over blue, white; wider than high.
QUADRANTS = np.zeros((16, 32, 3), np.uint8)
QUADRANTS[:8, :16, 0] = QUADRANTS[:8, 16:, 1] = QUADRANTS[8:, :16, 2] = 255
QUADRANTS[8:, 16:] = 255

# How a camera held that way would have stored the upright picture (TIFF 6.0: the stored row 0 is
# the visual top, top, bottom, bottom, left, right, right, left; column 0 likewise).
STORED = {
    1: QUADRANTS,
    2: QUADRANTS[:, ::-1],
    3: QUADRANTS[::-1, ::-1],
    4: QUADRANTS[::-1],
    5: QUADRANTS.transpose(1, 0, 2),
    6: QUADRANTS.transpose(1, 0, 2)[::-1],
    7: QUADRANTS.transpose(1, 0, 2)[::-1, ::-1],
    8: QUADRANTS.transpose(1, 0, 2)[:, ::-1],
}


def exif(orientation=None, f35=None):
    data = Image.Exif()
    if orientation is not None:
        data[ExifTags.Base.Orientation] = orientation
    if f35 is not None:
        data.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FocalLengthIn35mmFilm] = f35
    return data


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["png", "jpg", "webp"])
def test_every_exif_orientation_comes_out_upright(tmp_path, orientation, ending):
    path = tmp_path / f"photo.{ending}"
    image = Image.fromarray(np.ascontiguousarray(STORED[orientation]))
    image.save(path, exif=exif(orientation), quality=100)
    frame = load_photo(path)
    assert frame.size == (32, 16)
    assert frame.image.dtype == np.uint8
    if ending == "png":
        np.testing.assert_array_equal(frame.image, QUADRANTS)
    else:  # lossy: the middles of the quadrants
        difference = frame.image[4::8, 8::16].astype(int) - QUADRANTS[4::8, 8::16]
        assert abs(difference).max() < 30


def test_focal_length_by_the_diagonal(tmp_path):
    # 400 x 300 has the diagonal 500; film has sqrt(36^2 + 24^2) = 43.2666.
    image = Image.new("RGB", (300, 400))
    image.save(tmp_path / "a.jpg", exif=exif(orientation=6, f35=26))
    frame = load_photo(tmp_path / "a.jpg")
    assert frame.size == (400, 300)
    assert frame.camera.size == (400, 300)
    assert frame.camera.focal == pytest.approx((300.4627,) * 2, abs=1e-3)
    assert frame.camera.centre == (200, 150)
    assert frame.camera.source == "exif"


@pytest.mark.parametrize("f35", [None, 0, 65535])
def test_no_camera_without_a_plausible_focal_length(tmp_path, f35):
    Image.new("RGB", (30, 40)).save(tmp_path / "a.jpg", exif=exif(f35=f35))
    assert load_photo(tmp_path / "a.jpg").camera is None


def test_transparency_becomes_white(tmp_path):
    rgba = np.zeros((1, 3, 4), np.uint8)
    rgba[0] = [(255, 0, 0, 255), (255, 0, 0, 0), (0, 0, 0, 128)]
    Image.fromarray(rgba).save(tmp_path / "a.png")
    expected = [[255, 0, 0], [255, 255, 255], [127, 127, 127]]
    np.testing.assert_array_equal(load_photo(tmp_path / "a.png").image[0], expected)


def test_palette_grey_and_16_bit(tmp_path):
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 200, 100, 50])
    palette.putdata([1, 0])
    palette.save(tmp_path / "p.png")
    palette.save(tmp_path / "q.png", transparency=0)
    Image.fromarray(np.array([[7]], np.uint8)).save(tmp_path / "grey.png")
    Image.fromarray(np.array([[0, 0x8001, 0xFFFF]], np.uint16)).save(tmp_path / "deep.png")
    Image.new("CMYK", (1, 1), (0, 255, 255, 0)).save(tmp_path / "cmyk.tif")
    assert load_photo(tmp_path / "p.png").image.tolist() == [[[200, 100, 50], [10, 20, 30]]]
    assert load_photo(tmp_path / "q.png").image.tolist() == [[[200, 100, 50], [255, 255, 255]]]
    assert load_photo(tmp_path / "grey.png").image.tolist() == [[[7, 7, 7]]]
    assert load_photo(tmp_path / "deep.png").image[0, :, 1].tolist() == [0, 128, 255]
    assert load_photo(tmp_path / "cmyk.tif").image.tolist() == [[[255, 0, 0]]]


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (8200, 3), (9001, 40)])
@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_extreme_sizes(tmp_path, size, ending):
    Image.new("RGB", size, (0, 128, 0)).save(tmp_path / f"a.{ending}")
    frame = load_photo(tmp_path / f"a.{ending}")
    assert frame.size == size
    scale = min(1, 4096 / max(size))
    height, width, _ = frame.image.shape
    assert (width, height) == tuple(max(1, round(side * scale)) for side in size)
    assert abs(frame.image.astype(int) - (0, 128, 0)).max() <= 2


def test_reduction_keeps_places(tmp_path):
    ramp = np.broadcast_to(np.linspace(0, 255, 12000).astype(np.uint8), (30, 12000))
    Image.fromarray(ramp).save(tmp_path / "a.png")
    image = load_photo(tmp_path / "a.png").image
    assert image.shape == (10, 4096, 3)
    expected = (np.arange(4096) + 0.5) / 4096 * 255
    assert abs(image[5, :, 0] - expected).max() < 2


def test_pictures_above_pillows_limit_are_read_and_its_limit_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    Image.new("RGB", (30, 20)).save(tmp_path / "a.png")
    assert load_photo(tmp_path / "a.png").size == (30, 20)
    assert Image.MAX_IMAGE_PIXELS == 10
    monkeypatch.setattr("ampose.media.photos.MAX_PIXELS", 599)
    with pytest.raises(InputError, match="30 x 20"):
        load_photo(tmp_path / "a.png")
    assert Image.MAX_IMAGE_PIXELS == 10
    assert MAX_PIXELS == 400_000_000


def test_content_counts_not_the_ending(tmp_path):
    Image.new("RGB", (3, 2)).save(tmp_path / "a.txt", format="WEBP")
    assert load_photo(tmp_path / "a.txt").size == (3, 2)
    assert media_kind(tmp_path / "a.txt") == "photo"


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow cannot write AVIF")
def test_a_still_of_the_mp4_family_is_no_video(tmp_path):
    Image.new("RGB", (64, 64)).save(tmp_path / "a.avif")
    refused(tmp_path / "a.avif", "JPEG, PNG, WebP, BMP")


def refused(path, match):
    for read in (load_photo, media_kind):
        with pytest.raises(InputError, match=match) as caught:
            read(path)
        assert "\n" not in str(caught.value)
        assert str(path) in str(caught.value)


def test_what_is_no_photo_is_refused(tmp_path):
    (tmp_path / "text.jpg").write_text("I am no picture\n" * 100)
    (tmp_path / "text.txt").write_text("I am no picture\n" * 100)
    (tmp_path / "empty.jpg").touch()
    refused(tmp_path / "text.jpg", "can be read")
    refused(tmp_path / "text.txt", "can be read")
    refused(tmp_path / "empty.jpg", "empty")
    refused(tmp_path / "missing.jpg", "does not exist")
    with pytest.raises(InputError, match="folder"):
        load_photo(tmp_path)
    assert media_kind(tmp_path) == "folder"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_unopened(tmp_path):
    path = tmp_path / "a.jpg"
    os.mkfifo(path)  # to open it would wait for somebody who writes
    refused(path, "pipe or a device; save it to a file")
    with pytest.raises(InputError, match="pipe"):
        media_kind(path)


def test_no_permission(tmp_path, monkeypatch):
    def denied(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", denied)
    refused(tmp_path / "a.jpg", "Permission denied")


def noise():
    return np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif", "bmp"])
def test_a_truncated_photo_is_refused(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    Image.fromarray(noise()).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError):
        load_photo(path)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ending=st.sampled_from(["jpg", "png", "webp", "tif"]), seed=st.integers(0, 2**32 - 1))
def test_damage_is_refused_or_survived_never_a_crash(tmp_path, ending, seed):
    rng = np.random.default_rng(seed)
    path = tmp_path / f"a.{ending}"
    Image.fromarray(noise()).save(path, exif=exif(6, 26))
    data = bytearray(path.read_bytes())
    for place in rng.integers(0, min(len(data), 300), 8):
        data[place] = rng.integers(256)
    path.write_bytes(data)
    try:
        frame = load_photo(path)
    except InputError as error:
        assert "\n" not in str(error)  # noqa: PT017 - both ends are right
    else:
        assert frame.image.ndim == 3


@given(st.permutations(["1", "01", "a2b3", "a2b10", "a10b1", "b"]))
def test_natural_order(names: list[str]) -> None:
    assert sorted(names, key=natural_key) == ["01", "1", "a2b3", "a2b10", "a10b1", "b"]


def test_photos_of_a_folder_in_natural_order(tmp_path):
    for name in ("img10.JPG", "img2.jpg", "IMG1.png", "notes.txt", ".hidden.jpg", "b.webp"):
        (tmp_path / name).touch()
    (tmp_path / "folder.jpg").mkdir()
    names = [path.name for path in photo_paths(tmp_path)]
    assert names == ["b.webp", "IMG1.png", "img2.jpg", "img10.JPG"]


def test_folders_without_photos_are_refused(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(InputError, match=r"holds no photo; .*\.jpg"):
        photo_paths(tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        photo_paths(tmp_path / "missing")
    with pytest.raises(InputError, match="cannot be read"):
        photo_paths(tmp_path / "notes.txt")


def test_animations_are_videos_and_still_ones_photos(tmp_path):
    pictures = [Image.fromarray(noise() // k) for k in (1, 2, 3)]
    pictures[0].save(tmp_path / "still.gif")
    pictures[0].save(tmp_path / "moving.gif", save_all=True, append_images=pictures[1:])
    pictures[0].save(tmp_path / "moving.png", save_all=True, append_images=pictures[1:])
    pictures[0].save(tmp_path / "pages.tif", save_all=True, append_images=pictures[1:])
    assert media_kind(tmp_path / "still.gif") == "photo"
    assert media_kind(tmp_path / "moving.gif") == "video"
    assert media_kind(tmp_path / "moving.png") == "video"
    assert media_kind(tmp_path / "pages.tif") == "photo"


def test_png_round_trip_leaves_only_the_file(tmp_path):
    write_png(tmp_path / "a.png", noise())
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    np.testing.assert_array_equal(load_photo(tmp_path / "a.png").image, noise())
    with pytest.raises(InputError, match=r"missing/a.png cannot be written"):
        write_png(tmp_path / "missing" / "a.png", noise())
    with pytest.raises(InputError, match=r"aaa.png cannot be written: File name too long"):
        write_png(tmp_path / f"{'a' * 251}.png", noise())


def test_the_film_diagonal():
    assert math.hypot(36, 24) == pytest.approx(43.2666, abs=1e-4)


def test_a_photo_reduced_in_strips_is_as_reduced_whole(tmp_path, monkeypatch):
    """40 x 30 by a factor of 2, in strips of 4 rows."""
    image = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    Image.fromarray(image).save(tmp_path / "a.png")
    monkeypatch.setattr(photos, "MAX_SIDE", 20)
    monkeypatch.setattr(frames, "MAX_SIDE", 20)
    monkeypatch.setattr(photos, "_STRIP_PIXELS", 4 * 40)
    frame = load_photo(tmp_path / "a.png")
    assert (frame.size, frame.image.shape) == ((40, 30), (15, 20, 3))
    means = image.reshape(15, 2, 20, 2, 3).mean((1, 3))
    np.testing.assert_allclose(frame.image, means, atol=1)
