"""The sample list people download to see the format."""

import csv
from functools import cache
from io import BytesIO, StringIO

import openpyxl

COLUMNS = ("PhoneNumber", "Placeholder1", "Placeholder2", "Placeholder3")

# The guide shows one number three times. An import keeps a number once, so these are three; that they are all real
# mobile formats lets the sample pass an import as it is.
ROWS = (
    ("491796548754", "Beau", "Harrison", "303 South Harvey Drive"),
    ("491796548755", "Russell", "Hayden", "473 W. Thomas St."),
    ("491796548756", "Renee", "Cameron", "7827 Circle Court"),
)


@cache
def sample_csv() -> bytes:
    """Return the sample as CSV in UTF-8; its byte order mark makes Excel read it as such."""
    text = StringIO(newline="")
    csv.writer(text).writerows((COLUMNS, *ROWS))
    return text.getvalue().encode("utf-8-sig")


@cache
def sample_xlsx() -> bytes:
    """Return the sample as Excel workbook. Numbers are texts, as Excel would shorten long ones."""
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = "Contacts"
    for row in (COLUMNS, *ROWS):
        sheet.append(row)
    for letter in "ABCD":
        sheet.column_dimensions[letter].width = 24
    content = BytesIO()
    workbook.save(content)
    return content.getvalue()
