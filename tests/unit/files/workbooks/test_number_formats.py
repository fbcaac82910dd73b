import pytest

from core.files.workbooks.number_formats import BUILT_IN, general, render


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (1067, "00000", "01067"),
        (0.15, "0%", "15%"),
        (-0.2, "0%", "-20%"),
        (0.155, "0.0%", "15.5%"),
        (1234.5, '#,##0.00 "€"', "1,234.50 €"),
        (1234.5, "#,##0.00\\ [$€-407]", "1,234.50 €"),
        (-1234.5, "#,##0.00;[Red](#,##0.00)", "(1,234.50)"),
        (0, '0;-0;"none"', "none"),
        (0.5, "#.##", ".5"),
        (1.005, "0.00", "1.01"),
        (1234567, "0,", "1235"),
        (1234567, '0.0,,"M"', "1.2M"),
        (123456789, "000-00-0000", "123-45-6789"),
        (5, '"No. "0', "No. 5"),
        (5, "_(* 0_)", "5"),
        (1.5, "0.0##", "1.5"),
        (46380.604166666664, "dd.mm.yyyy hh:mm", "24.12.2026 14:30"),
        (46380, "dd/mm/yyyy", "24/12/2026"),
        (46380, "d mmm yy", "24 Dec 26"),
        (46380, "dddd, mmmm d", "Thursday, December 24"),
        (0.3784722222222222, "hh:mm", "09:05"),
        (1.104166666666667, "[h]:mm", "26:30"),
        (0.5208333333333334, "h:mm AM/PM", "12:30 PM"),
        (0.000011574, "mm:ss.0", "00:01.0"),
        (0.999999999, "hh:mm:ss", "00:00:00"),
        (59, "yyyy-mm-dd", "1900-02-28"),
        (61, "yyyy-mm-dd", "1900-03-01"),
    ],
)
def test_a_number_reads_as_its_sheet_shows_it(value, code, shown):
    assert render(value, code) == shown


def test_days_can_be_counted_from_1904():
    assert render(44918, "yyyy-mm-dd", since_1904=True) == "2026-12-24"


@pytest.mark.parametrize(
    "code", ["General", "0.00E+00", "# ?/?", "[>100]0", "@", '[Red]General;"x"', "General_)", "yyyy", "[h]"]
)
def test_what_cannot_be_told_for_sure_is_left_alone(code):
    # The last two are formats of dates, and no date is that late or that early.
    assert render(-5e7, code) is None


@pytest.mark.parametrize("code", ["0.00E+00", "##0.0E+0", "0.0E-00", "0.00e+00"])
def test_an_exponent_is_left_alone_whatever_the_number(code):
    assert render(1234.5, code) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (491796548754.0, "491796548754"),
        (12.5, "12.5"),
        (0.1 + 0.2, "0.3"),
        (1234567890123457024, "1234567890123460000"),
        (1e-7, "0.0000001"),
        (-0.0, "0"),
        (100, "100"),
    ],
)
def test_without_a_format_a_number_has_the_digits_excel_keeps(value, text):
    assert general(value) == text


@pytest.mark.parametrize("code", [code for code in BUILT_IN.values() if code != "@"])
def test_every_built_in_format_is_understood(code):
    assert render(1.25, code)
