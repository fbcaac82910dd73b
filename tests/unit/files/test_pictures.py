import contextlib
import io
import struct
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, PngImagePlugin

from core.errors import InvalidInput
from core.files.pictures import MAX_BYTES, SIZE, SMALL, data_uri, draw_portrait, shrink

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><rect width="9" height="9"/></svg>'


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def picture(mode: str = "RGB", size: tuple[int, int] = (300, 200)) -> Image.Image:
    return Image.effect_noise(size, 80).convert(mode)


def decode(portrait: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(portrait))
    assert (image.format, image.mode, image.size) == ("PNG", "RGB", (SIZE, SIZE))
    image.load()
    return image


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def black_png(width: int, height: int) -> bytes:
    """Return a PNG of one bit a pixel, which packs a thousandfold."""
    packer = zlib.compressobj(9)
    line = bytes(1 + width // 8)
    packed = b"".join(packer.compress(line) for _ in range(height)) + packer.flush()
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def animated(kind: str) -> bytes:
    return encode(picture("P"), kind, save_all=True, append_images=[picture("P"), picture("P")])


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_a_png_of_any_kind_becomes_a_square_of_colors(mode: str):
    image = Image.new("I;16", (300, 200), 40_000) if mode == "I;16" else picture(mode)
    decode(draw_portrait(encode(image, "PNG")))


def test_16_bits_of_gray_keep_their_brightness():
    portrait = decode(draw_portrait(encode(Image.new("I;16", (300, 200), 40_000), "PNG")))
    assert portrait.getpixel((128, 128)) == (156, 156, 156)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK", "YCbCr"])
def test_a_jpeg_of_any_kind_becomes_a_square_of_colors(mode: str):
    image = Image.new(mode, (200, 300)) if mode == "YCbCr" else picture("RGB", (200, 300)).convert(mode)
    decode(draw_portrait(encode(image, "JPEG")))


def test_a_phone_s_jpeg_with_a_second_picture_behind_it_is_a_jpeg():
    two = encode(Image.new("RGB", (90, 90), "red"), "MPO", save_all=True, append_images=[Image.new("RGB", (9, 9))])
    assert decode(draw_portrait(two)).getpixel((9, 9))[0] > 250


def test_the_middle_is_kept_and_what_is_transparent_is_white():
    image = Image.new("RGBA", (600, 200), "red")
    ImageDraw.Draw(image).rectangle((200, 0, 400, 200), fill=(0, 0, 0, 0))
    portrait = decode(draw_portrait(encode(image, "PNG")))
    assert portrait.getpixel((128, 128)) == portrait.getpixel((5, 128)) == (255, 255, 255)


def marked(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = "SECRET-PLACE"
    return exif


# Where a photo's first corner belongs when it is held upright. Source: Exif 2.32, tag 274.
@pytest.mark.parametrize(
    ("orientation", "corner"),
    [
        (1, (10, 10)),
        (2, (245, 10)),
        (3, (245, 245)),
        (4, (10, 245)),
        (6, (245, 10)),
        (8, (10, 245)),
        (99, (10, 10)),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_photo_is_turned_as_its_camera_was_held(kind: str, orientation: int, corner: tuple[int, int]):
    image = Image.new("RGB", (400, 400), "blue")
    ImageDraw.Draw(image).rectangle((0, 0, 120, 120), fill="red")
    portrait = decode(draw_portrait(encode(image, kind, exif=marked(orientation))))
    red = [at for at in ((10, 10), (245, 10), (10, 245), (245, 245)) if portrait.getpixel(at)[0] > 200]
    assert red == [corner]


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_nothing_but_pixels_is_kept(kind: str):
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "SECRET-NOTE")
    options = {"pnginfo": notes} if kind == "PNG" else {"comment": b"SECRET-NOTE"}
    content = encode(picture(), kind, exif=marked(1), icc_profile=b"SECRET-PROFILE", **options)
    # A file that is a picture and something else as well: both readers find what they look for.
    content += b"<script>SECRET-SCRIPT</script>PK\x03\x04SECRET-ZIP"
    portrait = draw_portrait(content)
    assert b"SECRET" not in portrait
    kinds = {portrait[at + 4 : at + 8] for at in _chunks(portrait)}
    assert kinds == {b"IHDR", b"IDAT", b"IEND"}
    assert decode(portrait).info == {}


def _chunks(png: bytes) -> list[int]:
    found, at = [], 8
    while at < len(png):
        found.append(at)
        at += 12 + struct.unpack(">I", png[at : at + 4])[0]
    return found


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "not a PNG or JPEG"),
    "text": (lambda: b"Hello, I am called picture.png", "not a PNG or JPEG"),
    "svg": (lambda: SVG, "not a PNG or JPEG"),
    "svg after a byte order mark": (lambda: b"\xef\xbb\xbf" + SVG, "not a PNG or JPEG"),
    "html": (lambda: b"<!doctype html><script>alert(1)</script>", "not a PNG or JPEG"),
    "gif": (lambda: encode(picture("P"), "GIF"), "not a PNG or JPEG"),
    "animated gif": (lambda: animated("GIF"), "not a PNG or JPEG"),
    "webp": (lambda: encode(picture(), "WEBP"), "not a PNG or JPEG"),
    "tiff": (lambda: encode(picture(), "TIFF"), "not a PNG or JPEG"),
    "svg that begins as a png": (lambda: b"\x89PNG\r\n\x1a\n" + SVG, "damaged"),
    "animated png": (lambda: animated("PNG"), "animated"),
    "truncated jpeg": (lambda: encode(picture(), "JPEG")[:-900], "damaged"),
    "truncated png": (lambda: encode(picture(), "PNG")[:-900], "damaged"),
    "100 megapixels": (lambda: black_png(10_000, 10_000), "25 megapixels"),
    "30 megapixels": (lambda: black_png(6_000, 5_000), "25 megapixels"),
    "too many bytes": (lambda: encode(picture(), "PNG") + bytes(MAX_BYTES), "larger than 2 MB"),
    "text that unpacks to a gigabyte": (
        lambda: _with_chunk(chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(64 << 20)))),
        "damaged",
    ),
}


def _with_chunk(extra: bytes) -> bytes:
    png = encode(picture(), "PNG")
    return png[:33] + extra + png[33:]


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_still_picture_of_decent_size_is_refused(name: str):
    make, reason = REFUSED[name]
    with pytest.raises(InvalidInput, match=reason) as caught:
        draw_portrait(make())
    assert caught.value.hint
    assert caught.value.field == "picture"


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch):
    bomb = black_png(10_000, 10_000)
    assert len(bomb) < 20_000

    def explode(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", explode)
    with pytest.raises(InvalidInput, match="25 megapixels"):
        draw_portrait(bomb)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["PNG", "JPEG"]), st.integers(0, 10_000), st.binary(min_size=1, max_size=8))
def test_damage_anywhere_is_a_picture_or_a_refusal(kind: str, at: int, damage: bytes):
    content = bytearray(_SMALL[kind])
    at %= len(content)
    content[at : at + len(damage)] = damage
    with contextlib.suppress(InvalidInput):
        decode(draw_portrait(bytes(content)))


_SMALL = {
    "PNG": encode(picture("P", (40, 30)), "PNG", exif=marked(6)),
    "JPEG": encode(picture("RGB", (40, 30)), "JPEG", exif=marked(6)),
}


def test_the_toolbar_s_picture_is_small_and_holds_nothing_that_markup_could_be_made_of():
    small = shrink(draw_portrait(encode(picture(size=(500, 500)), "JPEG")))
    assert Image.open(io.BytesIO(small)).size == (SMALL, SMALL)
    kind, _, content = data_uri(small).partition(",")
    assert kind == "data:image/png;base64"
    assert content.replace("+", "a").replace("/", "a").rstrip("=").isalnum()
