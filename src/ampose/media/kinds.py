"""Photo, video or folder: by content, not by ending."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from ampose.errors import InputError
from ampose.media.files import check_file
from ampose.media.photos import is_photo
from ampose.media.videos import Video

MediaKind = Literal["photo", "video", "folder"]


def media_kind(path: Path | str) -> MediaKind:
    """What `path` is. An animated GIF, WebP or PNG is a video where FFmpeg decodes it.

    Raises:
        InputError: the path is missing, unreadable or none of the three.
    """
    path = Path(path)
    try:
        if path.is_dir():
            return "folder"
    except OSError as error:  # no rights on the way to it, or a name that is too long
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    check_file(path)
    if is_photo(path):
        return "photo"
    try:
        Video(path).close()
    except InputError:
        if is_photo(path, animated=True):
            return "photo"
        raise InputError(
            f"{path} is neither a photo nor a video that can be read; give a JPEG, PNG, WebP, BMP "
            "or TIFF photo, or an MP4, MOV, MKV, WebM or AVI video"
        ) from None
    return "video"
