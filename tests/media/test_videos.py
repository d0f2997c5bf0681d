import itertools
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from ampose.errors import InputError
from ampose.media import Video, VideoWriter, media_kind
from ampose.media.videos import quarter_turns

SIZE = (64, 48)


def grey(level, size=SIZE):
    return np.full((size[1], size[0], 3), level, np.uint8)


def names(folder):
    return [path.name for path in folder.iterdir()]


def level(frame):
    return frame.image.mean() if hasattr(frame, "image") else frame.mean()


def make(
    path, count=50, *, pts=None, fps=25, rotation=None, aspect=None, pix_fmt="yuv420p", **options
):
    """A video whose frame i is a noisy grey of level 4 i, written without our own writer."""
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("libx264", rate=fps, options={"bf": "0"})
        stream.width, stream.height = SIZE
        stream.pix_fmt = pix_fmt
        stream.codec_context.gop_size = 10
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        if rotation is not None:
            stream.set_display_rotation(rotation)
        rng = np.random.default_rng(0)
        for i in range(count):
            image = grey(4 * (i % 50)) + rng.integers(0, 40, (48, 64, 1), dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(image, "rgb24")
            frame.pts, frame.time_base = (pts or range(count))[i], Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def times(path, **options):
    with Video(path, **options) as video:
        return [frame.time for frame in video]


def test_header_and_frames(tmp_path):
    with Video(make(tmp_path / "a.mp4")) as video:
        assert (video.size, video.fps, video.frame_count) == (SIZE, 25, 50)
        assert video.duration == pytest.approx(2)
        frames = list(video)
        assert video.warnings == []
    assert [frame.index for frame in frames] == list(range(50))
    assert [frame.time for frame in frames] == pytest.approx(np.arange(50) / 25)
    assert {frame.name for frame in frames} == {"a.mp4"}
    assert frames[0].image.shape == (48, 64, 3)
    assert [level(f) for f in frames[:40]] == pytest.approx(4 * np.arange(40) + 19.5, abs=3)


def test_a_file_that_does_not_begin_at_nought(tmp_path):
    """A recorder's clock went on: its first frame is at 3 s."""
    path = make(tmp_path / "a.mkv", pts=range(75, 125))
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.start_time * stream.time_base == 3
    assert times(path)[:3] == pytest.approx([0, 0.04, 0.08])
    assert times(path, start=1)[0] == pytest.approx(1)


def test_a_video_is_read_once(tmp_path):
    with Video(make(tmp_path / "a.mp4", 3)) as video:
        list(video)
        with pytest.raises(RuntimeError, match="once"):
            list(video)


def test_frames_that_are_not_wanted_are_left_out(tmp_path, monkeypatch):
    made = []
    upright = Video._upright
    monkeypatch.setattr(Video, "_upright", lambda *args: made.append(1) or upright(*args))
    with Video(make(tmp_path / "a.mp4"), threads=1) as video:
        frames = list(video.frames(lambda time: time >= 1.5))
        assert video.warnings == []
    assert [frame.time for frame in frames] == pytest.approx(np.arange(38, 50) / 25)
    assert [frame.index for frame in frames] == list(range(38, 50))
    assert len(made) == len(frames)


@pytest.mark.parametrize("threads", [None, 1, 2])
def test_threads_of_the_codecs_change_nothing(tmp_path, threads):
    with VideoWriter(tmp_path / "a.mp4", SIZE, 25, threads) as writer:
        for place in range(10):
            writer.write(grey(20 * place), place / 25)
    with Video(tmp_path / "a.mp4", threads=threads) as video:
        assert [level(frame) for frame in video] == pytest.approx(20 * np.arange(10), abs=3)


def test_variable_frame_rate_round_trip(tmp_path):
    given = [10.0, 10.05, 10.4, 10.41, 12.0, 12.013]
    with VideoWriter(tmp_path / "a.mp4", SIZE, 30) as writer:
        for i, time in enumerate(given):
            writer.write(grey(40 * i), time)
    assert names(tmp_path) == ["a.mp4"]
    assert media_kind(tmp_path / "a.mp4") == "video"
    with Video(tmp_path / "a.mp4") as video:
        frames = list(video)
        assert video.warnings == []
    assert [f.time for f in frames] == pytest.approx(np.array(given) - 10, abs=1e-4)
    assert [level(f) for f in frames] == pytest.approx(40 * np.arange(6), abs=3)


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts", "avi", "h264"])
def test_start_and_end_are_file_times(tmp_path, ending):
    path = make(tmp_path / f"a.{ending}")
    everything = times(path)
    with Video(path, start=0.7, end=1.3) as video:
        frames = list(video)
    expected = [time for time in everything if 0.7 <= time < 1.3]
    assert [f.time for f in frames] == pytest.approx(expected)
    assert [f.index for f in frames] == list(range(15))
    assert level(frames[0]) == pytest.approx(4 * everything.index(expected[0]) + 19.5, abs=3)


def test_start_seeks(tmp_path, monkeypatch):
    path = make(tmp_path / "a.mp4", 200, fps=25)
    decoded = []
    original = Video._decoded
    monkeypatch.setattr(Video, "_decoded", lambda v: (decoded.append(f) or f for f in original(v)))
    with Video(path, start=7.5) as video:
        assert next(iter(video)).time == pytest.approx(7.52)
    assert len(decoded) < 30  # key frames are 10 apart, decoder threads look ahead


def test_frame_count_of_a_range(tmp_path):
    path = make(tmp_path / "a.mp4")
    with Video(path, start=0.4) as video:
        assert video.frame_count == 40
    with Video(path, start=0.4, end=99) as video:
        assert video.frame_count == 40
    with Video(make(tmp_path / "a.h264")) as video:
        assert video.frame_count is None
        assert video.duration is None


def test_capture_fps_gives_real_seconds(tmp_path):
    path = make(tmp_path / "a.mp4")
    assert times(path, capture_fps=100) == pytest.approx(np.arange(50) / 100)
    part = times(path, start=1, end=1.2, capture_fps=100)  # start and end stay file times
    assert part == pytest.approx([0.25, 0.26, 0.27, 0.28, 0.29])


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"start": 5}, "last frame read is at 1.96 s"),
        ({"start": 1, "end": 1}, "before end"),
        ({"start": -1}, "0 or more"),
        ({"start": float("nan")}, "0 or more"),
        ({"start": 0.201, "end": 0.202}, "no frame from"),
        ({"capture_fps": 0}, "above 0"),
    ],
)
def test_ranges_that_make_no_sense(tmp_path, options, match):
    with pytest.raises(InputError, match=match):
        Video(make(tmp_path / "a.mp4"), **options)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mkv", {}),
        ("a.ts", {}),
        ("a.mp4", {"movflags": "faststart"}),
        ("b.mp4", {"movflags": "frag_keyframe+empty_moov"}),
    ],
)
def test_a_cut_off_video_gives_its_good_frames_and_a_warning(tmp_path, name, options):
    path = make(tmp_path / name, **options)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 6 // 10])
    with Video(path) as video:
        frames = list(video)
        (warning,) = video.warnings
    assert 20 <= len(frames) <= 35
    assert "\n" not in warning
    assert f"{len(frames)} frames" in warning
    assert [f.time for f in frames] == pytest.approx(np.arange(len(frames)) / 25)
    for i, frame in enumerate(frames):
        assert level(frame) == pytest.approx(4 * i + 19.5, abs=3)


def test_damage_in_the_middle_is_told(tmp_path):
    path = make(tmp_path / "a.mkv")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4000] = bytes(4000)
    path.write_bytes(data)
    with Video(path) as video:
        count = len(list(video))
        assert count < 50
        assert f"{count} frames" in video.warnings[0]


def test_a_video_without_its_index_is_refused(tmp_path):
    path = make(tmp_path / "a.mp4")
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(InputError, match="not a video"):
        Video(path)


@pytest.mark.parametrize("name", ["a.mp4", "a.txt", "a.jpg", "a:b.mp4"])
def test_text_is_no_video(tmp_path, name):
    (tmp_path / name).write_text("I am no video.\n" * 200)
    with pytest.raises(InputError, match="not a video"):
        Video(tmp_path / name)


def test_files_that_are_no_videos(tmp_path):
    (tmp_path / "empty.mp4").touch()
    with av.open(str(tmp_path / "sound.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(InputError, match="empty"):
        Video(tmp_path / "empty.mp4")
    with pytest.raises(InputError, match="is not a video"):
        Video(tmp_path / "sound.wav")
    with pytest.raises(InputError, match="does not exist"):
        Video(tmp_path / "missing.mp4")
    with pytest.raises(InputError, match="folder"):
        Video(tmp_path)


def test_a_playlist_reaches_no_network(tmp_path):
    playlist = tmp_path / "a.m3u8"
    playlist.write_text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n"
    )
    with pytest.raises(InputError):
        Video(playlist)


def test_a_colon_in_the_name(tmp_path, monkeypatch):
    make(tmp_path / "a:b.mp4", 2)
    monkeypatch.chdir(tmp_path)
    assert len(times(Path("a:b.mp4"))) == 2


@pytest.mark.parametrize(("rotation", "turns"), [(0, 0), (90, 1), (-90, 3), (180, 2), (-180, 2)])
def test_rotation_metadata(tmp_path, rotation, turns):
    # The matrix that FFmpeg reads as "turn counterclockwise by `rotation`".
    assert quarter_turns(rotation) == turns
    path = tmp_path / "a.mp4"
    picture = grey(0)
    picture[:24, :32] = 255  # stored: white at top left
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.set_display_rotation(rotation)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode())
    with Video(path) as video:
        (frame,) = video
    height, width = frame.image.shape[:2]
    assert frame.size == video.size == (width, height) == (SIZE if turns % 2 == 0 else SIZE[::-1])
    # Counterclockwise from top left: bottom left, bottom right, top right.
    white = [(0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)][turns]
    for y, x in itertools.product((0.25, 0.75), repeat=2):
        pixel = frame.image[int(y * height), int(x * width), 0]
        assert (pixel > 128) == ((y, x) == white)


@pytest.mark.parametrize(
    ("matrix", "white"),  # x' = a x + c y, y' = b x + d y; the stored white quarter is top left
    [
        ((-1, 0, 0, 1), (0.25, 0.75)),  # left and right exchanged
        ((1, 0, 0, -1), (0.75, 0.25)),  # top and bottom
        ((0, 1, 1, 0), (0.25, 0.25)),  # along the diagonal: x goes down, y to the right
        ((0, -1, -1, 0), (0.75, 0.75)),
    ],
)
def test_mirroring_metadata(tmp_path, matrix, white):
    path = tmp_path / "a.mp4"
    picture = grey(0)
    picture[:24, :32] = 255
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode())
    content = bytearray(path.read_bytes())
    a, b, c, d = (value << 16 for value in matrix)  # PyAV writes none: into the track's header
    place = content.index(b"tkhd") + 44
    struct.pack_into(">9i", content, place, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(content)
    with Video(path) as video:
        (frame,) = video
    height, width = frame.image.shape[:2]
    assert frame.size == video.size == (width, height) == (SIZE if matrix[0] else SIZE[::-1])
    for y, x in itertools.product((0.25, 0.75), repeat=2):
        pixel = frame.image[int(y * height), int(x * width), 0]
        assert (pixel > 128) == ((y, x) == white)


@pytest.mark.parametrize(("aspect", "size"), [("4/3", (85, 48)), ("1/2", (64, 96))])
def test_pixels_that_are_not_square(tmp_path, aspect, size):
    with Video(make(tmp_path / "a.mp4", 2, aspect=Fraction(aspect))) as video:
        frame = next(iter(video))
    assert frame.size == size
    assert frame.image.shape == (size[1], size[0], 3)


@pytest.mark.parametrize("pix_fmt", ["yuv444p", "yuv420p10le", "yuv422p"])
def test_odd_pixel_formats(tmp_path, pix_fmt):
    with Video(make(tmp_path / "a.mp4", 20, pix_fmt=pix_fmt)) as video:
        assert level(list(video)[10]) == pytest.approx(59.5, abs=4)


def test_large_frames_are_reduced(tmp_path, monkeypatch):
    monkeypatch.setattr("ampose.media.frames.MAX_SIDE", 32)
    with Video(make(tmp_path / "a.mp4", 2)) as video:
        frame = next(iter(video))
    assert frame.size == SIZE
    assert frame.image.shape == (24, 32, 3)


def test_times_without_pts_are_counted(tmp_path):
    assert times(make(tmp_path / "a.h264")) == pytest.approx(np.arange(50) / 25)


class Stamped:
    """A decoded frame, as far as times go."""

    def __init__(self, pts):
        self.pts, self.time_base, self.duration = pts, Fraction(1, 100), 1


def test_times_that_do_not_increase_are_moved_on(tmp_path, monkeypatch):
    with Video(make(tmp_path / "a.mp4", 2)) as video:
        list(video)
        video._last, video._moved = -1, 0
        stamps = [Stamped(pts) for pts in (0, 10, 10, 5, None, 50)]
        monkeypatch.setattr(video, "_decoded", lambda: iter(stamps))
        moved = [time for time, _ in video._timed()]
        assert moved == pytest.approx([0, 0.1, 0.14, 0.18, 0.22, 0.5])
        video._warn(6)
        assert "2 frames were not later" in video.warnings[0]


def test_animated_gif(tmp_path):
    pictures = [Image.fromarray(grey(60 * k)) for k in range(1, 4)]
    pictures[0].save(
        tmp_path / "a.gif", save_all=True, append_images=pictures[1:], duration=[100, 200, 5000]
    )
    with Video(tmp_path / "a.gif") as video:
        frames = list(video)
        assert video.warnings == []  # the last picture stands for 5 s, nothing is missing
    assert [f.time for f in frames] == pytest.approx([0, 0.1, 0.3])
    assert [level(f) for f in frames] == pytest.approx([60, 120, 180], abs=3)


# Writing


def test_odd_sizes_are_padded(tmp_path):
    with VideoWriter(tmp_path / "a.mp4", (65, 47), 25) as writer:
        writer.write(grey(90, (65, 47)), 0)
    with Video(tmp_path / "a.mp4") as video:
        (frame,) = video
    assert frame.size == (66, 48)
    assert abs(frame.image.astype(int) - 90).max() < 5


def test_colours_survive(tmp_path):
    picture = grey(0)
    picture[:, :32] = (230, 159, 0)
    picture[:, 32:] = (86, 180, 233)
    with VideoWriter(tmp_path / "a.mp4", SIZE, 25) as writer:
        writer.write(picture, 0)
    with Video(tmp_path / "a.mp4") as video:
        (frame,) = video
    assert abs(frame.image[24, [10, 50]].astype(int) - picture[24, [10, 50]]).max() < 8


def test_the_video_is_h264_yuv420p_with_its_index_in_front(tmp_path):
    with VideoWriter(tmp_path / "a.mp4", SIZE, 25) as writer:
        writer.write(grey(9), 0)
    with av.open(str(tmp_path / "a.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
    data = (tmp_path / "a.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_av1_where_h264_is_missing(tmp_path, monkeypatch):
    if "libsvtav1" not in av.codecs_available:
        pytest.skip("this PyAV has no AV1 encoder")
    monkeypatch.setattr(av, "codecs_available", {"libsvtav1"})
    with VideoWriter(tmp_path / "a.mp4", (128, 96), 25) as writer:
        for i in range(3):
            writer.write(grey(90, (128, 96)), i / 25)
    assert times(tmp_path / "a.mp4") == pytest.approx([0, 0.04, 0.08], abs=1e-4)


def test_an_exception_leaves_nothing_and_keeps_what_was(tmp_path):
    (tmp_path / "a.mp4").write_text("older")

    def write():
        with VideoWriter(tmp_path / "a.mp4", SIZE, 25) as writer:
            for i in range(60):
                writer.write(grey(i), i / 25)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert names(tmp_path) == ["a.mp4"]
    assert (tmp_path / "a.mp4").read_text() == "older"


def test_wrong_use_is_told(tmp_path):
    writer = VideoWriter(tmp_path / "a.mp4", SIZE, 25)
    writer.write(grey(0), 1)
    with pytest.raises(ValueError, match="increase"):
        writer.write(grey(0), 1)
    with pytest.raises(ValueError, match=r"\(64, 48\)"):
        writer.write(grey(0, (48, 64)), 2)
    writer.close()
    with pytest.raises(ValueError, match="no picture"):
        VideoWriter(tmp_path / "b.mp4", SIZE, 25).close()
    assert names(tmp_path) == ["a.mp4"]


def test_places_that_cannot_be_written(tmp_path):
    with pytest.raises(InputError, match=r"missing/a.mp4 cannot be written: No such file"):
        VideoWriter(tmp_path / "missing" / "a.mp4", SIZE, 25)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's full disk")
def test_a_full_disk(tmp_path):
    (tmp_path / "a.partial.mp4").symlink_to("/dev/full")

    def write():
        with VideoWriter(tmp_path / "a.mp4", SIZE, 25) as writer:
            for i in range(5):
                writer.write(grey(i), i / 25)

    with pytest.raises(InputError, match=r"a.mp4 cannot be written: No space"):
        write()
    assert names(tmp_path) == []
