"""
Pictures of people: whatever is uploaded is drawn anew, so that nothing of the file itself is kept.

A file is what its content says, not its name. Only PNG and JPEG are tried; the size is read from the file's header
before anything is unpacked, since a few kilobytes can claim to be gigabytes of pixels.
"""

import base64
import hashlib
import io
import logging
import sys

from PIL import ExifTags, Image

from core.errors import InvalidInput

_log = logging.getLogger(__name__)

MAX_BYTES = 2 << 20
MAX_PIXELS = 25_000_000
# Edges in pixels: of what is kept, and of what stands in the toolbar of every page (sharp on fine screens, too).
SIZE = 256
SMALL = 80

_MIB = MAX_BYTES >> 20
_FORMATS = ("PNG", "JPEG")
# MPO is a JPEG with a preview or a second shot behind the first one, as some phones write it.
_SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")

# Whoever else opens a picture in this process refuses it at twice that.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS

# Source: Exif 2.32, tag 274 (Orientation).
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def draw_portrait(content: bytes) -> bytes:
    """
    Return the middle of the picture as a square PNG of `SIZE` pixels, upright and without anything but pixels.

    Raises: InvalidInput: not a PNG or JPEG, animated, damaged, or larger than `MAX_BYTES` or `MAX_PIXELS`.
    """
    check(content)
    try:
        return _draw(content)
    except InvalidInput:
        raise
    # A decoder that is fed with damage fails in any way there is, and each of them means the same.
    except Exception as error:
        _log.info("picture_refused", extra={"reason": type(error).__name__})
        raise _refusal(
            "The picture is damaged.", "Open it in a picture viewer and save it again, then upload that."
        ) from error


def check(content: bytes) -> None:
    """Raise `InvalidInput` for what is no picture by its size or its first bytes; nothing is unpacked."""
    if len(content) > MAX_BYTES:
        raise _refusal(f"The picture is larger than {_MIB} MB.", "Make it smaller, then upload that.")
    if not content.startswith(_SIGNATURES):
        raise _refusal("This is not a PNG or JPEG picture.", "Save the picture as PNG or JPEG, then upload that.")


def write_portrait() -> bytes:
    """Return the portrait of the picture at stdin: a task of `core.files.apart`."""
    return draw_portrait(sys.stdin.buffer.read())


def shrink(portrait: bytes) -> bytes:
    """Return a portrait, as `draw_portrait` made it, in `SMALL`."""
    with Image.open(io.BytesIO(portrait), formats=("PNG",)) as image:
        return _to_png(image.resize((SMALL, SMALL), Image.Resampling.LANCZOS))


def digest_of(portrait: bytes) -> str:
    """Return what tells portraits apart."""
    return hashlib.sha256(portrait).hexdigest()


def data_uri(png: bytes) -> str:
    """Return the PNG as an address that holds it: nobody else can ask for it."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _draw(content: bytes) -> bytes:
    with _open(content) as image:
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise _too_many_pixels()
        if image.format == "PNG" and getattr(image, "is_animated", False):
            raise _refusal("The picture is animated.", "Upload a picture that is not animated.")
        # From a JPEG the decoder can take every second, fourth or eighth pixel at once.
        image.draft("RGB", (SIZE * 2, SIZE * 2))
        image.load()
        turn = _UPRIGHT.get(image.getexif().get(ExifTags.Base.Orientation, 1))
        pixels = _in_colors(image)
        square = pixels.resize((SIZE, SIZE), Image.Resampling.LANCZOS, box=_middle(image.size), reducing_gap=3.0)
    # The middle stays the middle however it is turned, and a small picture is turned faster.
    return _to_png(square.transpose(turn) if turn is not None else square)


def _open(content: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(content), formats=_FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels() from error


def _middle(size: tuple[int, int]) -> tuple[int, int, int, int]:
    width, height = size
    edge = min(width, height)
    left, top = (width - edge) // 2, (height - edge) // 2
    return left, top, left + edge, top + edge


def _in_colors(image: Image.Image) -> Image.Image:
    """Return the picture in 8-bit colors."""
    if image.mode.startswith("I"):
        # 16 bits of gray: the upper 8 are what 8 bits would have been.
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    wanted = "RGBA" if image.has_transparency_data else "RGB"
    return image if image.mode == wanted else image.convert(wanted)


def _to_png(image: Image.Image) -> bytes:
    # Pixels alone are carried over, on white where they are transparent: profiles, comments and the place where a
    # photo was taken stay behind.
    clean = Image.new("RGB", image.size, "white")
    clean.paste(image, mask=image if image.mode == "RGBA" else None)
    target = io.BytesIO()
    clean.save(target, "PNG", optimize=True)
    return target.getvalue()


def _too_many_pixels() -> InvalidInput:
    return _refusal(f"The picture has more than {MAX_PIXELS // 1_000_000} megapixels.", "Make it smaller first.")


def _refusal(message: str, hint: str) -> InvalidInput:
    return InvalidInput(message, hint=hint, field="picture")
