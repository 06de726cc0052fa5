"""Figures and report: the maps' orientation in PNG and PDF, the words, and what is said when something is missing."""

from __future__ import annotations

import re
import shutil
import subprocess

import numpy as np
import pytest
from matplotlib.text import Text

from tests.viz_scene import array, average, blues, centre, field_map, grid, pixels, reds, status
from zeromag.viz.figures import map_figure
from zeromag.viz.moments import moments
from zeromag.viz.report import png, write_report
from zeromag.viz.report_tables import figure_words
from zeromag.viz.theme import INTO_CHEST, OUT_OF_CHEST

SUMMARY = {
    "zeromag": "0.1.0", "source": "scan.fif", "subject": "P017", "rate_hz": 1000.0, "duration_s": 60.0,
    "gaps": [{"sample": 33333, "samples": 37}], "channels": status(array())["channels"],
    "heart_rate": {"value": 58.8, "low": 58.1, "high": 59.5, "unit": "1/min"}, "beats": {"normal": 57, "ectopic": 1},
    "usable": {"answer": "not yet", "reasons": ["too few beats"], "seconds_needed": 24},
    "cleaning": status(array())["cleaning"],
    "parameters": {"map_angle_T": {"value": 41.0, "low": 38.5, "high": 43.2, "unit": "deg"}, "qt": None},
    "session": {"source": "<script>alert(1)</script>", "chain": {"mains": 50}}, "provenance": {"numpy": "2.4"},
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("report")
    write_report(out, SUMMARY, [average(array())], field_map(grid()))
    return out


def words_of(pdf) -> str:
    if shutil.which("pdftotext") is None:
        pytest.skip("no pdftotext: apt-get install -y poppler-utils")
    return subprocess.run(["pdftotext", "-layout", str(pdf), "-"], capture_output=True, text=True, check=True).stdout


def boxes_of(pdf) -> tuple[list[tuple[float, float, float, float, str]], float]:
    """Return the first page's words with their boxes (left, top, right, bottom; no leading), and its width."""
    if shutil.which("pdftotext") is None:
        pytest.skip("no pdftotext: apt-get install -y poppler-utils")
    call = ["pdftotext", "-bbox", "-l", "1", str(pdf), "-"]
    page = subprocess.run(call, capture_output=True, text=True, check=True).stdout
    found = re.findall(r'<word xMin="(.*?)" yMin="(.*?)" xMax="(.*?)" yMax="(.*?)">(.*?)</word>', page)
    words = [
        (float(a), float(b) + (float(d) - float(b)) / 4, float(c), float(d) - (float(d) - float(b)) / 4, word)
        for a, b, c, d, word in found
    ]
    return words, float(re.search(r'<page width="(.*?)"', page)[1])


def upright(picture, left: float, right: float) -> None:
    """Check the pole scene between two shares of the width (colour bars left out)."""
    part = picture[:, round(left * picture.shape[1]) : round(right * picture.shape[1])]
    across, down = centre(reds(part))
    other_across, other_down = centre(blues(part))
    assert across > other_across
    assert down < other_down


@pytest.mark.parametrize("name", ["map_R.png", "map_T.png"])
def test_png_has_the_patients_upper_left_at_the_upper_right(folder, name):
    upright(pixels((folder / name).read_bytes()), 0.0, 0.83)


def test_pdf_has_the_patients_upper_left_at_the_upper_right(folder, tmp_path):
    if shutil.which("pdftoppm") is None:
        pytest.skip("no pdftoppm: apt-get install -y poppler-utils")
    subprocess.run(
        ["pdftoppm", "-r", "100", "-f", "1", "-l", "1", "-png", str(folder / "report.pdf"), str(tmp_path / "page")],
        check=True,
    )
    (picture,) = tmp_path.glob("page*.png")
    upright(pixels(picture.read_bytes()), 0.05, 0.31)


def test_the_moments_are_the_beats_own():
    maps = field_map(grid())
    found = moments(average(array()), maps)
    assert maps.time[found.peaks["R"]] == pytest.approx(0.0)
    assert maps.time[found.peaks["T"]] == pytest.approx(0.28)
    assert "P" not in found.peaks  # this heart has none
    assert np.diff(maps.time[found.st_t]) == pytest.approx(0.01)
    assert maps.time[found.st_t[0]] < 0.08
    assert maps.time[found.st_t[-1]] > 0.33


def test_the_report_speaks_japanese(tmp_path):
    write_report(tmp_path, SUMMARY, [average(array())], None, language="ja")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert '<html lang="ja">' in page
    for word in ("心磁図", "心拍数", "58.8 1/min", "研究用。医療機器ではありません。", "Not a medical device."):
        assert word in page
    assert "Research use. Not a medical device." in words_of(tmp_path / "report.pdf")


def test_every_translation_is_of_a_word_the_report_says():
    """A word that was changed in the code would be said in English without anybody noticing."""
    import tomllib
    from pathlib import Path

    import zeromag.viz

    package = Path(zeromag.viz.__file__).parent
    code = "".join(file.read_text(encoding="utf-8") for file in package.glob("*.py"))
    for file in (package / "words").glob("*.toml"):
        for word in tomllib.loads(file.read_text(encoding="utf-8")):
            assert (
                word in ("fonts", "yes", "no", "not yet", "normal", "ectopic")
                or f'"{word}"' in code
                or f"'{word}'" in code
            )


def test_an_unknown_language_is_refused(tmp_path):
    with pytest.raises(ValueError, match="one of en, ja, got xx"):
        write_report(tmp_path, SUMMARY, [], None, language="xx")


def test_another_language_is_one_more_file(tmp_path, monkeypatch):
    """A file beside the others is all: its words, its fonts, its name among the languages."""
    from zeromag.viz import words

    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "xq.toml").write_text('"Parameters" = "Paramotri"\n"value" = "valo"\n', encoding="utf-8")
    monkeypatch.setattr(words, "files", lambda _: tmp_path / "words")
    assert words.languages() == ["en", "xq"]
    write_report(tmp_path, SUMMARY, [], None, language="xq")
    assert "<h2>Paramotri</h2>" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Paramotri" in words_of(tmp_path / "report.pdf")


def test_the_session_says_the_reports_language(tmp_path):
    import argparse

    from zeromag.commands.settings import session_of
    from zeromag.errors import InputError

    flags = argparse.Namespace(session=tmp_path / "scan.toml", language=None)
    flags.session.write_text('language = "ja"', encoding="utf-8")
    assert session_of(flags).language == "ja"
    with pytest.raises(InputError, match="language is one of en, ja, got tlh"):
        session_of(argparse.Namespace(session=None, language="tlh"))


def test_a_number_stands_beside_what_the_literature_says_with_its_source(tmp_path):
    figures = {
        "qrs": {"value": 0.0884, "low": 0.088, "high": 0.089, "unit": "s"},
        "angle_change_T": {"value": 12.0, "low": 10.0, "high": 14.0, "unit": "deg"},
        "rt": {"value": 0.26, "low": 0.25, "high": 0.27, "unit": "s"},
    }
    write_report(tmp_path, {**SUMMARY, "parameters": figures}, [], None)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for text in (" ".join(words_of(tmp_path / "report.pdf").split()), page):
        for words in ("70 to 104 ms [1]", "limit 45 ° [2]", "36,299 healthy women", "no verdict on this one", "[3]"):
            assert words in text
        assert "diagnos" not in text.lower()
        assert " normal range" not in text
    write_report(tmp_path, {**SUMMARY, "parameters": {"rt": figures["rt"]}}, [], None)
    assert "verdict" not in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_every_range_is_of_a_parameter_there_is_and_has_a_source():
    from zeromag.mapping.unit import UNITS
    from zeromag.viz.literature import RANGES, SOURCES

    assert set(RANGES) <= set(UNITS)
    assert {found.source for found in RANGES.values()} <= set(range(1, len(SOURCES) + 1))


def grey(picture):
    """A picture as a black-and-white printer gives it (ITU-R BT.601)."""
    return picture[..., :3].astype(float) @ np.array([0.299, 0.587, 0.114])


def test_a_grey_print_keeps_the_sign():
    """Both poles as strong: in grey they are the same shade, and only lines and signs tell them apart."""
    of = grid()
    shown = field_map(of)
    x, y = np.meshgrid(of.x, of.y)
    near = np.exp(-((x - 0.05) ** 2 + (y - 0.05) ** 2) / (2 * 0.03**2))
    shown.bz[:] = 50e-12 * (near - near[::-1, ::-1])
    kept = grey(pixels(png(map_figure(shown, 20, "R peak"))))
    shown.bz[:] *= -1
    turned = grey(pixels(png(map_figure(shown, 20, "R peak"))))
    inside = (slice(40, 560), slice(40, 530))
    assert np.corrcoef(kept[inside].ravel(), turned[inside].ravel())[0, 1] > 0.8  # the shades do not tell
    differs = np.abs(kept[inside] - turned[inside]) > 60
    assert differs.sum() > 300  # the strokes do
    plus = kept[inside][:200, 300:]
    assert (plus > 245).sum() > 30  # the white + on the pole


def test_every_page_says_what_this_is_not(folder):
    text = words_of(folder / "report.pdf")
    pages = text.split("\f")[:-1]
    assert len(pages) >= 1
    for page in pages:
        assert page.count("Research use. Not a medical device.") == 2
    page = (folder / "report.html").read_text()
    assert page.count("Research use. Not a medical device.") == 2


def test_a_long_name_keeps_to_the_page_and_to_its_line(tmp_path):
    name = "sim:vcg?record=" + "/data/of/a/long/study" * 12 + "&seconds=40"
    write_report(tmp_path, {**SUMMARY, "subject": None, "source": name}, [average(array())], field_map(grid()))
    words, wide = boxes_of(tmp_path / "report.pdf")
    assert max(right for _, _, right, _, _ in words) <= wide
    head = [each for each in words if each[1] < 0.2 * wide]  # the notice, the title, the table with the name
    for k, (left, top, right, bottom, word) in enumerate(head):
        for other in head[k + 1 :]:
            apart = other[0] > right - 0.1 or other[2] < left + 0.1 or other[1] > bottom or other[3] < top
            assert apart, (word, other[-1])
    assert any(word.endswith("seconds=40") and top < 0.07 * wide for _, top, _, _, word in words)


def test_the_report_holds_the_numbers_with_their_intervals(folder):
    for text in (words_of(folder / "report.pdf"), (folder / "report.html").read_text()):
        for word in ("P017", "58.8 1/min (58.1 to 59.5)", "41.0 °", "57 normal, 1 ectopic", "38.5 to 43.2",
                     "9 steps of 25 pT",
                     "too few beats", "31.2 dB", "99.0 %", "0.93", "1, 37 samples"):  # fmt: skip
            assert word in text
        assert "diagnos" not in text.lower()


def test_the_page_stands_alone_and_trusts_no_word(folder):
    page = (folder / "report.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert 'src="http' not in page
    assert page.count("data:image/png;base64,") == 5


def test_the_words_stand_on_the_side_they_mean():
    figure = map_figure(field_map(grid()), 20, "R peak")
    figure.canvas.draw()
    at = {}
    for text in (text for axes in figure.axes for text in axes.texts):
        box = text.get_window_extent()
        at[text.get_text()] = ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)
    assert at["R"][0] < at["L"][0]
    assert at["+"][0] > at["−"][0]  # the pole that comes out is at the patient's upper left
    assert at["+"][1] > at["−"][1]
    assert at["out of chest (+)"][1] > at["into chest (−)"][1]
    bar = figure.axes[-1]
    labels = {label.get_text(): label.get_window_extent().y0 for label in bar.get_yticklabels()}
    assert labels["+50"] > labels["0"] > labels["−50"]


def test_an_isoline_of_a_figure_is_dashed_where_the_field_goes_in():
    figure = map_figure(field_map(grid()), 20, "R peak")
    (lines,) = [found for found in figure.axes[0].collections if hasattr(found, "levels")]
    dashed = {
        float(level): style[1] is not None for level, style in zip(lines.levels, lines.get_linestyles(), strict=True)
    }
    assert dashed
    assert all(is_dashed == (level < 0) for level, is_dashed in dashed.items())


def test_the_colour_bar_says_which_way(folder):
    text = words_of(folder / "report.pdf")
    assert "out of chest (+)" in text
    assert re.search(r"into chest \([− ]\)", text)  # Matplotlib 3.9 draws the minus into a PDF as a shape
    figure = map_figure(field_map(grid()), 20, "R peak")
    assert {OUT_OF_CHEST, INTO_CHEST} <= {text.get_text() for text in figure.findobj(Text)}


def test_the_same_run_gives_the_same_bytes(folder, tmp_path):
    write_report(tmp_path, SUMMARY, [average(array())], field_map(grid()))
    for file in sorted(folder.iterdir()):
        assert file.read_bytes() == (tmp_path / file.name).read_bytes(), file.name


@pytest.mark.parametrize(
    ("figure", "said"),
    [
        ({"value": 0.1013, "low": 0.1005, "high": 0.1021, "unit": "s"}, ("101.3 ms", "100.5 to 102.1")),
        ({"value": -106.83, "low": -110.2, "high": -101.9, "unit": "deg"}, ("−106.8 °", "−110.2 to −101.9")),
        ({"value": 1.4e-9, "low": 1.2e-9, "high": 1.6e-9, "unit": "T/m"}, ("1.40 pT/mm", "1.20 to 1.60")),
        ({"value": 3.0, "low": 3.0, "high": 3.0, "unit": "1"}, ("3.0", "3.0 to 3.0")),
        ({"value": 3.14159, "unit": "furlong"}, ("3.142 furlong", "—")),
        ({"value": None, "low": 1.0, "high": 2.0, "unit": "s"}, ("—", "—")),
        (None, ("—", "—")),
    ],
)
def test_figures_are_said_in_the_units_of_the_field(figure, said):
    assert figure_words(figure) == said


def test_without_beats_or_maps_it_says_why(tmp_path):
    write_report(tmp_path, {"source": "scan.fif", "map": "the recording has no sensor positions"}, [], None)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["quality.png", "report.html", "report.pdf"]
    for text in (words_of(tmp_path / "report.pdf"), (tmp_path / "report.html").read_text()):
        assert "No map: the recording has no sensor positions." in text
        assert "none found" in text


def test_a_map_of_a_hole_is_drawn_with_the_hole():
    of = grid()
    of.mask[:, :20] = False
    shown = field_map(of)
    shown.bz[:, :, :20] = np.nan
    picture = pixels(png(map_figure(shown, 20, "R peak", average(array()))))
    assert not blues(picture[:, : round(0.2 * picture.shape[1])]).any()
    centre(reds(picture[:, : round(0.8 * picture.shape[1])]))
