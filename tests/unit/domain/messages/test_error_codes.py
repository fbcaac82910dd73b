from core.domain.messages.error_codes import find_meaning
from core.gateways.simulator.profiles import FAILURES


def test_every_failure_of_the_simulator_is_explained():
    meanings = [find_meaning("simulator", code) for _, code, _ in FAILURES]
    assert all(meaning and meaning.is_certain for meaning in meanings)


def test_a_gateway_without_a_list_is_read_as_most_of_them_mean_it():
    found = find_meaning("acme", "027")
    assert found
    assert found.text.startswith("Absent subscriber")
    assert not found.is_certain


def test_a_code_nobody_knows_has_no_meaning():
    assert find_meaning("simulator", "4711") is None
    assert find_meaning("acme", "") is None
    assert find_meaning("acme", "000") is None
