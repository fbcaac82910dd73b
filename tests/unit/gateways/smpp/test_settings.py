import pytest

from core.errors import InvalidInput
from core.gateways.smpp.settings import LongTexts, NumberType, SmppSettings


def test_what_nobody_set_is_what_most_smscs_take():
    settings = SmppSettings()
    assert (settings.gsm7_data_coding, settings.ucs2_data_coding, settings.long_texts) == (0, 8, LongTexts.UDH8)
    assert (settings.receipt_offset_min, settings.validity_min) == (0, 0)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("gsm7_data_coding", -1),
        ("ucs2_data_coding", 256),
        ("receipt_offset_min", -721),
        ("receipt_offset_min", 841),
        ("validity_min", -1),
        ("validity_min", 31 * 24 * 60 + 1),
        ("name_type", NumberType(8, 0)),
        ("receiver_type", NumberType(1, 19)),
        ("short_code_type", NumberType(-1, 0)),
    ],
)
def test_what_cannot_be_said_in_smpp_is_refused_with_its_field(field: str, value: object):
    with pytest.raises(InvalidInput) as refused:
        SmppSettings(**{field: value})
    assert refused.value.field == field
