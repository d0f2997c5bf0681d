"""Photos and videos in, videos and pictures out.

`Frame` is what is read; `load_photo`, `photo_paths` and `Video` read it; `media_kind` says which
of them a path needs, `is_photo` tells still photos from animations. `Webcam` and `Playback` give
frames at the pace of life. `VideoWriter` (of pictures, or what `encodable` makes of them) and
`write_png` write.
"""

from ampose.media.encode import VideoWriter, encodable, write_png
from ampose.media.folders import photo_paths
from ampose.media.frames import Frame, reduced_size
from ampose.media.kinds import media_kind
from ampose.media.photos import is_photo, load_photo
from ampose.media.playback import Playback
from ampose.media.videos import Video
from ampose.media.webcam import Webcam, camera_number

__all__ = [
    "Frame",
    "Playback",
    "Video",
    "VideoWriter",
    "Webcam",
    "camera_number",
    "encodable",
    "is_photo",
    "load_photo",
    "media_kind",
    "photo_paths",
    "reduced_size",
    "write_png",
]
