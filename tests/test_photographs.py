"""Photographs as people have them: read as the network was trained on them, or named with the reason."""

import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from generator.core.errors import UsageError
from generator.photos.photographs import (
    SIDE,
    Credit,
    UnreadablePhotographError,
    find_photographs,
    read_batches,
    read_credits,
    read_photograph,
)

RED, BLUE = (250, 10, 10), (10, 10, 250)


def picture(size: tuple[int, int] = (400, 300)) -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (size[0] // 2, 0, *size))
    return image


def left_and_right(path: Path) -> tuple[list[int], list[int]]:
    pixels = read_photograph(path)
    assert pixels.shape == (SIDE, SIDE, 3)
    assert pixels.dtype == np.uint8
    return pixels[100, 20].tolist(), pixels[100, -20].tolist()


def close(found: list[int], wanted: tuple[int, int, int], by: int = 12) -> bool:
    return max(abs(a - b) for a, b in zip(found, wanted, strict=True)) <= by


@pytest.mark.parametrize("size", [(400, 300), (300, 900), (64, 40), (224, 224)])
def test_the_centre_of_every_shape_is_read(tmp_path: Path, size: tuple[int, int]) -> None:
    picture(size).save(tmp_path / "a.png")
    left, right = left_and_right(tmp_path / "a.png")
    assert close(left, RED)
    assert close(right, BLUE)


def test_a_turned_photograph_is_read_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x112] = 3  # upside down
    picture().save(tmp_path / "a.jpg", exif=exif, quality=95)
    left, right = left_and_right(tmp_path / "a.jpg")
    assert close(left, BLUE)
    assert close(right, RED)


@pytest.mark.parametrize("mode", ["CMYK", "P", "L", "RGBA", "1"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    picture().convert(mode).save(path)
    left, right = left_and_right(path)
    if mode in ("P", "RGBA"):
        assert close(left, RED, 60)
        assert close(right, BLUE, 60)
    elif mode != "CMYK":
        assert left[0] == left[1] == left[2]
    else:
        assert left[0] > 200 > 100 > left[2]


def test_sixteen_bits_keep_their_brightness(tmp_path: Path) -> None:
    values = np.full((300, 300), 65535 // 4, dtype=np.uint16)
    values[:, 150:] = 65535 // 4 * 3
    Image.fromarray(values).save(tmp_path / "a.png")
    left, right = left_and_right(tmp_path / "a.png")
    assert close(left, (64, 64, 64), 3)
    assert close(right, (191, 191, 191), 3)


def test_what_is_transparent_lies_on_white(tmp_path: Path) -> None:
    Image.new("RGBA", (300, 300), (0, 0, 0, 0)).save(tmp_path / "a.png")
    assert left_and_right(tmp_path / "a.png")[0] == [255, 255, 255]


def test_of_an_animation_the_first_picture_counts(tmp_path: Path) -> None:
    picture().save(tmp_path / "a.webp", save_all=True, append_images=[Image.new("RGB", (400, 300))] * 3, lossless=True)
    assert close(left_and_right(tmp_path / "a.webp")[0], RED)


def test_what_cannot_be_read_is_named_and_left_out(tmp_path: Path) -> None:
    picture().save(tmp_path / "good.jpg")
    picture((10, 10)).save(tmp_path / "tiny.png")
    (tmp_path / "text.jpg").write_text("this is no photograph")
    (tmp_path / "empty.png").write_bytes(b"")
    Image.new("1", (20_000, 10_000)).save(tmp_path / "huge.png")
    (tmp_path / ".hidden.jpg").write_bytes((tmp_path / "good.jpg").read_bytes())
    (tmp_path / "notes.txt").write_text("not looked at")
    found = find_photographs([tmp_path])
    assert [p.name for p in found.photographs] == ["good.jpg"]
    reasons = {Path(path).name: why for path, why in found.left_out.items()}
    assert set(reasons) == {"tiny.png", "text.jpg", "empty.png", "huge.png"}
    assert "10 x 10" in reasons["tiny.png"]
    assert "no JPEG" in reasons["text.jpg"]
    assert reasons["huge.png"] == "its pixels are too many"


def test_what_is_called_like_a_photograph_and_is_none_is_named(tmp_path: Path) -> None:
    """A FIFO would be waited for, a link that leads back to a folder would be followed for ever."""
    picture().save(tmp_path / "good.jpg")
    os.mkfifo(tmp_path / "fifo.jpg")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "nothing.jpg").symlink_to("nowhere")
    (tmp_path / "a.jpg").symlink_to("b.jpg")
    (tmp_path / "b.jpg").symlink_to("a.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "good.jpg").read_bytes()[:100])
    with open(os.fsencode(tmp_path) + b"/\xff\n.png", "wb") as file:
        file.write(b"\0" * 100)
    found = find_photographs([tmp_path])
    assert [p.name for p in found.photographs] == ["good.jpg"]
    reasons = {Path(path).name: why for path, why in found.left_out.items()}
    assert set(reasons) == {"fifo.jpg", "nothing.jpg", "a.jpg", "b.jpg", "cut.jpg", "\udcff\n.png"}
    assert reasons["nothing.jpg"] == "it is a link to nothing"


def test_what_is_declared_is_not_believed(tmp_path: Path) -> None:
    """A small file that says it is 9,000 pixels wide, and one whose text inflates to 200 MB."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    def png(side: int, *more: bytes) -> bytes:
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
        pixels = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + b"\x80" * 300 for _ in range(100))))
        return b"\x89PNG\r\n\x1a\n" + header + b"".join(more) + pixels + chunk(b"IEND", b"")

    (tmp_path / "good.png").write_bytes(png(100))
    (tmp_path / "wide.png").write_bytes(png(9000))
    (tmp_path / "text.png").write_bytes(png(100, chunk(b"zTXt", b"a\0\0" + zlib.compress(b"0" * 200_000_000))))
    assert left_and_right(tmp_path / "good.png")[0] == [128, 128, 128]
    for name in ("wide.png", "text.png"):
        with pytest.raises(UnreadablePhotographError):
            read_photograph(tmp_path / name)


def test_half_a_file_is_told_when_it_is_read(tmp_path: Path) -> None:
    for seed, name in enumerate(("a.jpg", "b.jpg", "c.jpg")):
        noise = np.random.default_rng(seed).integers(0, 255, (300, 300, 3), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / name)
    whole = (tmp_path / "b.jpg").read_bytes()
    (tmp_path / "b.jpg").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnreadablePhotographError, match="truncated"):
        read_photograph(tmp_path / "b.jpg")
    told: dict[str, str] = {}
    found = find_photographs([tmp_path])
    batches = list(read_batches(found.photographs, 2, lambda photograph, why: told.update({photograph.name: why})))
    names = [found.photographs[i].name for indices, _ in batches for i in indices]
    assert sorted(names) == ["a.jpg", "c.jpg"]
    assert sum(len(pixels) for _, pixels in batches) == 2
    assert list(told) == ["b.jpg"]


def test_the_fingerprint_is_of_contents_and_not_of_names(tmp_path: Path) -> None:
    for folder in ("one", "two/deep"):
        (tmp_path / folder).mkdir(parents=True)
    picture().save(tmp_path / "one" / "a.png")
    picture((300, 400)).save(tmp_path / "one" / "b.png")
    for name in ("x.png", "y.png"):
        source = "b.png" if name == "x.png" else "a.png"
        (tmp_path / "two" / "deep" / name).write_bytes((tmp_path / "one" / source).read_bytes())
    one, two = find_photographs([tmp_path / "one"]), find_photographs([tmp_path / "two"])
    assert one.fingerprint == two.fingerprint
    assert find_photographs([tmp_path / "one", tmp_path / "two"]).fingerprint == one.fingerprint, (
        "each file counts once"
    )
    picture((301, 400)).save(tmp_path / "one" / "c.png")
    assert find_photographs([tmp_path / "one"]).fingerprint != one.fingerprint


def test_credits_are_read_with_or_without_a_mark_at_the_start(tmp_path: Path) -> None:
    picture().save(tmp_path / "a.jpg")
    text = 'file,title,author,licence,source\na.jpg,"A, b",Ann  Who,CC BY 4.0,https://host/a\n'
    for start in ("", "\ufeff"):
        (tmp_path / "credits.csv").write_text(start + text, encoding="utf-8")
        credit = find_photographs([tmp_path]).photographs[0].credit
        assert credit == Credit("A, b", "Ann Who", "CC BY 4.0", "https://host/a")
    (tmp_path / "credits.csv").write_text(text.replace("A, b", "A,\nb\u2028c"), encoding="utf-8")
    assert find_photographs([tmp_path]).photographs[0].credit.title == "A, b c"
    (tmp_path / "credits.csv").write_text("file,title\n")
    with pytest.raises(UsageError, match=r"credits\.csv:1: no column author, licence, source"):
        read_credits(tmp_path)
    (tmp_path / "credits.csv").write_text(text + f"b.jpg,{'x' * 200_000},,,\n")
    with pytest.raises(UsageError, match=r"credits\.csv:3: cannot be read: field larger"):
        read_credits(tmp_path)


def test_folders_that_are_missing_or_empty_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no folder"):
        find_photographs([tmp_path / "nowhere"])
    with pytest.raises(UsageError, match="no photographs"):
        find_photographs([tmp_path])
