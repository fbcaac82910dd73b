import pytest

from core.domain.data_files import read_table
from core.domain.imports import phone_columns
from core.domain.imports.phone_columns import choose_column, header_key, judge_column, rank_name

MOBILES = ["+491796548754", "+491796548755", "+491796548756"]


@pytest.mark.parametrize(
    ("name", "rank"),
    [
        ("PhoneNumber", 3),
        ("phone_number", 3),
        ("Mobile", 2),
        ("Mobile (private)", 2),
        ("Handy-Nr.", 2),
        ("N° de portable", 2),
        ("Téléphone", 1),
        ("Teléfono móvil", 2),
        ("Номер телефона", 1),
        ("Κινητό", 2),
        ("رقم الجوال", 2),
        ("手机号码", 2),
        ("電話番号", 1),
        ("휴대폰 번호", 2),
        ("Số điện thoại", 1),
        ("Tel.", 1),
        ("Tel2", 1),
        ("Phone 1", 1),
        ("To", 1),
        ("Fax", 0),
        ("Fax number", 0),
        ("Private phone", 1),
        ("Telefax", 0),
        ("House number", 1),
        ("Total", 0),
        ("Name", 0),
        ("", 0),
    ],
)
def test_a_name_says_how_much_of_a_phone_column_it_is(name: str, rank: int):
    assert rank_name(name) == rank


def test_each_word_is_found_under_its_own_name():
    for row in read_table(phone_columns._HERE / "phone_columns.csv"):
        for word in row["words"].split():
            rank = rank_name(word)
            assert rank == 0 if row["means"] == "other" else rank >= {"mobile": 2, "phone": 1}[row["means"]], word


def choose(**columns: list[str]) -> str:
    names = list(columns)
    index = choose_column([judge_column(name, cells) for name, cells in columns.items()])
    return names[index] if index >= 0 else ""


def test_content_tells_where_names_do_not():
    assert choose(Name=["Beau"], Column=MOBILES, Zip=["10115"]) == "Column"
    assert choose(Phone=["see notes", "none"], Notes=MOBILES) == "Notes"
    assert choose(Number=["12", "7", "9a"], Kontakt=["0151 23456789", "0170 1234567"]) == "Kontakt"


def test_names_tell_where_content_does_not():
    assert choose(Phone=MOBILES, Mobile=MOBILES) == "Mobile"
    assert choose(Mobile=MOBILES, PhoneNumber=MOBILES) == "PhoneNumber"
    assert choose(Name=["", ""], Telefon=["", ""]) == "Telefon"
    assert choose(Fax=MOBILES, Mobil=MOBILES) == "Mobil"


def test_ids_and_codes_are_no_phone_numbers():
    assert choose(Id=["1000000001", "1000000002"], Iban=["DE02120300000000202051"], Name=["Beau", "Zoë"]) == ""


def test_a_column_knows_its_countries():
    judged = judge_column("Tel", [*MOBILES, "+436641234567", "0151 23456789", ""])
    assert (judged.country, judged.valid_share, judged.national_share) == ("DE", 0.8, 0.2)


def test_files_with_the_same_header_have_the_same_key():
    assert header_key(["Phone Number", "Straße"]) == header_key(["phone-number", "STRASSE"])
    assert header_key(["a", "b"]) != header_key(["ab", ""])
