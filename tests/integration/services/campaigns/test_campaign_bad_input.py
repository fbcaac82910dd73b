"""
What campaigns are not made for: each gets a sentence, or is counted, billed and sent as what it is.

A draft goes through saving, preflight and launch; what was announced is compared with what the gateway was given.
"""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy import delete

from core.domain.accounts.pricing import Price
from core.domain.campaigns.campaigns import Campaign, CampaignStatus
from core.domain.campaigns.preflight import Preflight, RowKind, Wanted
from core.domain.messages.messages import OutboundMessage, SubmitResult
from core.domain.reports.paging import PageRequest
from core.errors import InvalidInput
from core.services.campaigns.composing import draft_of
from core.services.campaigns.quick_sending import QuickMessage
from core.state.accounts import accounts
from core.state.suppressions import suppressions
from core.state.tables.models import PriceRow
from tests.support.application.factories import make_origin
from tests.support.application.house import House, contacts

NUMBERS = ("+491796000000", "+491796000001", "+491796000002")
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
WAVE = "\U0001f44b\U0001f3fd"
GERMANY = "\U0001f1e9\U0001f1ea"
SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
SHALOM = "\u05e9\u05dc\u05d5\u05dd"


def save(house: House, list_id: str = "", **overrides: object) -> Campaign:
    draft = house.draft(list_id, **({"placeholders": {}} | overrides))
    return house.app.campaigns.composing.save(house.viewer, draft, house.now)


def check(house: House, campaign: Campaign) -> Preflight:
    return house.app.campaigns.preflighting.look(house.viewer, campaign.campaign_id, house.now).preflight


def read_rows(house: House, campaign: Campaign) -> list[dict]:
    everything = Wanted(RowKind.ALL)
    look = house.app.campaigns.preflighting.look(house.viewer, campaign.campaign_id, house.now)
    found = house.app.campaigns.preflighting.rows(house.viewer, look, everything, 1, 100)
    return found.table.to_pylist()


def launch_and_send(house: House, campaign: Campaign) -> dict[str, str]:
    """Return what text the gateway was given for each receiver."""
    given: dict[str, str] = {}
    submit = house.simulator.submit

    def noting(messages: list[OutboundMessage], now: datetime, *rest: object) -> list[SubmitResult]:
        given.update({message.msisdn: message.text for message in messages})
        return submit(messages, now, *rest)

    house.simulator.submit = noting
    house.app.campaigns.launching.launch(house.viewer, campaign.campaign_id, house.now)
    house.app.work.run_until_idle(house.clock)
    assert house.campaign(campaign.campaign_id).status is CampaignStatus.COMPLETED
    assert house.app.reports.reporting.reconciliation(house.viewer, campaign.campaign_id).balances
    return given


def price(house: House, country: str = "") -> None:
    with house.app.state.write() as session:
        accounts.set_prices(session, house.account.account_id, [Price(country, "", Decimal(5))])


def suppress(house: House, *numbers: str) -> None:
    with house.app.state.write() as session:
        suppressions.add_suppressions(session, house.account.account_id, numbers, make_origin(created_at=house.now))


TOO_LONG = {
    "2,000 letters": ("x" * 2_000, "14 segments"),
    "2,001 letters": ("x" * 2_001, "2\u202f001 characters"),
    "2,000 emoji": ("\U0001f389" * 2_000, "61 segments"),
    "a letter more than ten SMS hold": ("x" * 1_531, "11 segments"),
    "a Cyrillic letter more": ("\u0436" * 671, "11 segments"),
    "a euro sign more, which is never cut in two": ("\u20ac" * 761, "11 segments"),
    "an emoji more, which is never cut in two": ("\U0001f389" * 331, "11 segments"),
    "one letter that makes all of it Unicode": ("x" * 1_529 + "\u0436", "23 segments"),
}


def test_what_no_phone_takes_is_refused_when_it_is_saved(house: House):
    found = house.upload(contacts(1))
    for list_id in ("", found.list_id):
        for name, (message, words) in TOO_LONG.items():
            with pytest.raises(InvalidInput) as caught:
                save(house, list_id, message=message)
            assert (words in caught.value.message, "at most" in caught.value.hint) == (True, True), name
            assert caught.value.field == "message", name
    assert house.app.campaigns.composing.page(house.viewer, PageRequest()).total == 0


def test_what_ten_sms_just_hold_is_counted_and_billed(house: House):
    price(house)
    list_id = house.upload(contacts(3)).list_id
    for message in ("x" * 1_530, "\u0436" * 670, "\u20ac" * 760, "\U0001f389" * 330):
        saved = save(house, list_id, message=message)
        counted = check(house, saved).counted
        assert [(item.segment_count, item.recipient_count) for item in counted.lengths] == [(10, 3)]
        assert (counted.segment_count, counted.cost_eur_cents) == (30, Decimal(150))
    assert launch_and_send(house, saved) == dict.fromkeys(NUMBERS, message)
    assert house.campaign(saved.campaign_id).cost_eur_cents == Decimal(150)


def test_a_message_is_as_long_as_it_is_sent(house: House):
    list_id = house.upload(contacts(1)).list_id
    quoted = "\u201c" + "x" * 1_528 + "\u201d"
    with pytest.raises(InvalidInput, match="23 segments"):
        save(house, list_id, message=quoted)
    saved = save(house, list_id, message=quoted, simplifies=True)
    assert check(house, saved).counted.segment_count == 10
    assert launch_and_send(house, saved) == {NUMBERS[0]: '"' + "x" * 1_528 + '"'}
    # One character becomes three.
    dotted = "\u0436" + "\u2026" * 300
    assert save(house, list_id, message=dotted)
    with pytest.raises(InvalidInput, match="14 segments"):
        save(house, list_id, message=dotted, simplifies=True)


def test_a_quick_message_is_as_long_as_it_is_sent(house: House):
    quoted = "\u201c" + "x" * 1_528 + "\u201d"
    facts = (str(uuid4()), house.account.account_id, "HELIOGRAPH", NUMBERS[:1], quoted)
    with pytest.raises(InvalidInput, match="23 segments"):
        house.app.campaigns.quick_sending.estimate(house.viewer, QuickMessage(*facts), house.now)
    found = house.app.campaigns.quick_sending.estimate(house.viewer, QuickMessage(*facts, simplifies=True), house.now)
    assert found.measure.segment_count == 10


def test_without_a_list_a_message_is_shown_as_it_is_sent(house: House):
    draft = house.draft(message="\u201c{Name}\u201d", placeholders={}, simplifies=True)
    assert house.app.campaigns.composing.preview(house.viewer, draft, 0).text == '"{Name}"'


def test_what_is_too_long_for_one_receiver_is_left_out_for_that_one(house: House):
    file = f"PhoneNumber,Name\n491796000000,Bo\n491796000001,{'y' * 40}\n491796000002,\u0141ukasz\n"
    message = "x" * 1_500 + "{Name}"
    saved = save(house, house.upload(file).list_id, message=message, placeholders={"Name": "Name"})
    counted = check(house, saved).counted
    assert (dict(counted.excluded), counted.recipient_count) == ({"too long": 2}, 1)
    assert launch_and_send(house, saved) == {NUMBERS[0]: "x" * 1_500 + "Bo"}


# Message and how many SMS it needs: one of up to 70 code units, else as many as hold 67 each.
ODD = {
    "a zero-width space makes all of it Unicode": ("a" * 100 + "\u200b", 2),
    "zero-width characters count": ("a" * 60 + "\u200b\u200c\u200d\u2060\ufeff" * 2, 1),
    "and take room": ("a" * 61 + "\u200b\u200c\u200d\u2060\ufeff" * 2, 2),
    "right to left": (f"\u200f{SHALOM}\u200e 5", 1),
    "an override that is never closed": (f"\u202e{SHALOM} {'abc ' * 16}", 1),
    "embeddings and isolates": ("\u202a\u202b\u202c\u2066\u2067\u2069" * 11 + "12345", 2),
    # 4, 11, 4 and 14 code units each.
    "17 skin tones": (WAVE * 17, 1),
    "18 skin tones": (WAVE * 18, 2),
    "6 families": (FAMILY * 6, 1),
    "7 families": (FAMILY * 7, 2),
    "17 flags": (GERMANY * 17, 1),
    "18 flags": (GERMANY * 18, 2),
    "5 flags of tags": (SCOTLAND * 5, 1),
    "6 flags of tags": (SCOTLAND * 6, 2),
    # 134 code units fill two segments, unless a pair would have to be cut: 67 is odd.
    "67 pairs": ("\U0001f389" * 67, 3),
    "66 pairs and two letters": ("a" + "\U0001f389" * 66 + "a", 2),
    "everything at once": (f"\u201c{FAMILY}\u200f{SHALOM}\u200b{GERMANY}\u00e9 {{x}}\u201d", 1),
}


def test_odd_characters_are_counted_right_and_shown_as_they_are(house: House):
    price(house)
    list_id = house.upload(contacts(3)).list_id
    for name, (message, segment_count) in ODD.items():
        saved = save(house, list_id, message=message)
        assert saved.message == message, name
        preview = house.app.campaigns.composing.preview(house.viewer, draft_of(saved), 0)
        assert (preview.text, preview.measure.segment_count) == (message, segment_count), name
        counted = check(house, saved).counted
        assert [(item.segment_count, item.recipient_count) for item in counted.lengths] == [(segment_count, 3)], name
        assert counted.cost_eur_cents == Decimal(15) * segment_count, name
        assert [row["Message"] for row in read_rows(house, saved)] == [message] * 3, name
    # The last is everything at once.
    assert launch_and_send(house, saved) == dict.fromkeys(NUMBERS, message)


def test_odd_characters_in_a_cell_count_and_are_sent_as_in_a_message(house: House):
    numbers = [f"+49179600{index:04d}" for index in range(len(ODD))]
    rows = "".join(f'{number},"{value}"\n' for number, (value, _) in zip(numbers, ODD.values(), strict=True))
    found = house.upload(f"PhoneNumber,Text\n{rows}")
    saved = save(house, found.list_id, message="{Text}", placeholders={"Text": "Text"})
    assert [row["Messages"] for row in read_rows(house, saved)] == [count for _, count in ODD.values()]
    values = [value for value, _ in ODD.values()]
    assert launch_and_send(house, saved) == dict(zip(numbers, values, strict=True))
    with house.app.lake.read() as cursor:
        sent = cursor.execute('SELECT receiver, segment_count, "unicode" FROM lake.messages ORDER BY 1').fetchall()
    assert sent == [(number, count, True) for number, (_, count) in zip(numbers, ODD.values(), strict=True)]


def test_simplified_a_message_loses_what_nobody_sees_and_keeps_what_somebody_means(house: House):
    message = f"\ufeff\u201c{FAMILY}\u201d\u200b \u200f{SHALOM}\u200e{WAVE}{GERMANY}"
    expected = f'"{FAMILY}" \u200f{SHALOM}\u200e{WAVE}{GERMANY}'
    saved = save(house, house.upload(contacts(1)).list_id, message=message, simplifies=True)
    assert [row["Message"] for row in read_rows(house, saved)] == [expected]
    assert launch_and_send(house, saved) == {NUMBERS[0]: expected}


def test_who_makes_it_unicode_is_named(house: House):
    saved = save(house, house.upload(contacts(2)).list_id, message="a" * 100 + f"\u200b{WAVE}\u200f\u200b")
    (widened,) = check(house, saved).counted.widened
    assert (widened.name, widened.characters) == ("", f"\u200b{WAVE}\u200f")
    assert (widened.plain_count, widened.segment_count, widened.recipient_count) == (1, 2, 2)


# Message, what Beau in London is sent, and what is named as no placeholder; {Name} and {City} are ones.
BRACES = {
    "unknown": ("Hi {Nmae}", "Hi {Nmae}", ("{Nmae}",)),
    "another case": ("Hi {name} {NAME}", "Hi {name} {NAME}", ("{name}", "{NAME}")),
    "spaces within": ("Hi { Name }", "Hi { Name }", ("{ Name }",)),
    "named once": ("{x} {x} {y}", "{x} {x} {y}", ("{x}", "{y}")),
    "nothing within": ("Hi {}", "Hi {}", ()),
    "never closed": ("Hi {Name", "Hi {Name", ()),
    "never opened": ("Hi Name}", "Hi Name}", ()),
    "the wrong way round": ("}Name{", "}Name{", ()),
    "doubled": ("Hi {{Name}}", "Hi {Beau}", ()),
    "tripled": ("{{{Name}}}", "{{Beau}}", ()),
    "one within another": ("{Name{City}}", "{NameLondon}", ()),
    "one within a stray one": ("{a {Name} b}", "{a Beau b}", ()),
    "a stray one within": ("{Name {x}}", "{Name {x}}", ("{x}",)),
    "side by side": ("{Name}{City}{Name}", "BeauLondonBeau", ()),
    "a line break within": ("{Na\nme}", "{Na\nme}", ("{Na\nme}",)),
    "a style sheet": ("a{color:red}", "a{color:red}", ("{color:red}",)),
    "other systems' ways": ("%Name% $Name ${Name} [[Name]]", "%Name% $Name $Beau [[Name]]", ()),
    "a pattern": (r"\{Name\} {.*} {Name|City}", r"\{Name\} {.*} {Name|City}", (r"{Name\}", "{.*}", "{Name|City}")),
}


def test_braces_that_are_no_placeholder_are_sent_as_they_stand_and_named(house: House):
    list_id = house.upload("PhoneNumber,Name,City\n491796000000,Beau,London\n").list_id
    for name, (message, text, stray) in BRACES.items():
        saved = save(house, list_id, message=message, placeholders={"Name": "Name", "City": "City"})
        assert check(house, saved).stray == stray, name
        assert house.app.campaigns.composing.preview(house.viewer, draft_of(saved), 0).text == text, name
        assert [row["Message"] for row in read_rows(house, saved)] == [text], name
    assert launch_and_send(house, saved) == {NUMBERS[0]: text}


def test_braces_in_a_cell_are_text(house: House):
    list_id = house.upload('PhoneNumber,Name,City\n491796000000,"{City} {",{Name}\n').list_id
    saved = save(house, list_id, message="{Name}|{City}", placeholders={"Name": "Name", "City": "City"})
    assert check(house, saved).stray == ()
    assert launch_and_send(house, saved) == {NUMBERS[0]: "{City} {|{Name}"}


def test_a_brace_is_two_septets(house: House):
    saved = save(house, house.upload(contacts(1)).list_id, message="{" * 80)
    assert check(house, saved).counted.segment_count == 1
    longer = save(house, saved.list_ids[0], name="Longer", message="{" * 80 + "}")
    assert check(house, longer).counted.segment_count == 2


def test_a_new_list_without_the_column_of_a_placeholder_is_refused_and_the_draft_stays(house: House):
    first = house.upload(contacts(1))
    second = house.upload("PhoneNumber,Name\n491796000000,Beau\n", name="Members")
    saved = save(house, first.list_id, message="Hi {First}", placeholders={"First": "FirstName"})
    for list_ids in [(second.list_id,), (first.list_id, second.list_id)]:
        draft = house.draft(list_ids=list_ids, message=saved.message, placeholders=dict(saved.placeholders))
        with pytest.raises(InvalidInput) as caught:
            house.app.campaigns.composing.save(house.viewer, draft, house.now, saved.campaign_id, saved.version)
        assert caught.value.message == "The list Members has no column FirstName for {First}."
        assert (caught.value.hint, caught.value.field) == ("Map it to one of PhoneNumber, Name.", "placeholders")
    with pytest.raises(InvalidInput, match="no column FirstName"):
        house.app.campaigns.composing.preview(house.viewer, replace(draft, list_ids=(second.list_id,)), 0)
    assert house.campaign(saved.campaign_id) == saved
    # Mapped anew, it is fine; so it is for each list's own rows.
    draft = house.draft(second.list_id, message=saved.message, placeholders={"First": "Name"})
    changed = house.app.campaigns.composing.save(house.viewer, draft, house.now, saved.campaign_id, saved.version)
    assert launch_and_send(house, changed) == {NUMBERS[0]: "Hi Beau"}


def test_a_column_is_meant_to_the_letter(house: House):
    list_id = house.upload(contacts(1)).list_id
    for column in ("firstname", "FirstName ", "Phone", ""):
        with pytest.raises(InvalidInput) as caught:
            save(house, list_id, message="Hi {First}", placeholders={"First": column})
        assert caught.value.message == f"The list Guests has no column {column or '(none)'} for {{First}}."
        assert "PhoneNumber, FirstName, City" in caught.value.hint


def test_a_list_deleted_after_the_draft_was_saved_is_asked_for_again(house: House):
    found = house.upload(contacts(1))
    saved = save(house, found.list_id, message="Hi {First}", placeholders={"First": "FirstName"})
    house.app.lists.delete(house.viewer, found.list_id, house.now)
    for attempt in (check, launch_and_send):
        with pytest.raises(InvalidInput, match="no longer exists") as caught:
            attempt(house, saved)
        assert (caught.value.field, caught.value.hint) == ("list_id", "Select another one.")
    assert house.campaign(saved.campaign_id).status is CampaignStatus.INACTIVE


def refuse(house: House, campaign: Campaign) -> InvalidInput:
    """Return why a launch was refused; nothing may have come of it."""
    with pytest.raises(InvalidInput) as caught:
        house.app.campaigns.launching.launch(house.viewer, campaign.campaign_id, house.now)
    house.app.work.run_until_idle(house.clock)
    assert house.campaign(campaign.campaign_id).status is CampaignStatus.INACTIVE
    assert house.simulator.journal.count_accepted() == 0
    return caught.value


def test_a_campaign_without_a_list_has_no_recipients(house: House):
    saved = save(house, message="Hello")
    with pytest.raises(InvalidInput, match="no recipients") as caught:
        check(house, saved)
    assert (caught.value.field, bool(caught.value.hint)) == ("list_id", True)
    assert refuse(house, saved).message == caught.value.message


def test_a_list_without_a_usable_number_cannot_be_sent_to(house: House):
    saved = save(house, house.upload("PhoneNumber\n12345\nabc\n").list_id, message="Hello")
    with pytest.raises(InvalidInput) as caught:
        check(house, saved)
    for error in (refuse(house, saved), caught.value):
        assert (error.message, error.field) == ("The list Guests is Faulted.", "list_id")
        # Waiting would not help.
        assert error.hint == "Select another one."


def exclude_everybody(house: House, reason: str) -> dict[str, object]:
    """Arrange for it, and return what the draft must say."""
    if reason == "suppressed":
        suppress(house, *NUMBERS)
    if reason == "no price":
        price(house, country="FR")
        with house.app.state.write() as session:
            session.execute(delete(PriceRow).where(PriceRow.country != "FR"))
    if reason == "left out":
        return {"left_out_ids": (house.upload(contacts(5), name="Members").list_id,)}
    if reason == "too long":
        return {"message": "x" * 1_525 + "{N}", "placeholders": {"N": "FirstName"}}
    if reason == "empty message":
        return {"message": " \n{Blank}\u00a0", "placeholders": {"Blank": "Blank"}}
    return {}


@pytest.mark.parametrize("reason", ["suppressed", "no price", "left out", "too long", "empty message"])
def test_an_audience_with_nobody_left_is_counted_by_its_reason_and_not_launched(house: House, reason: str):
    file = contacts(3).replace("City", "City,Blank").replace("London", "London,\u200b ")
    overrides = exclude_everybody(house, reason)
    saved = save(house, house.upload(file).list_id, **({"message": "Hello"} | overrides))
    found = check(house, saved)
    assert (dict(found.counted.excluded), found.counted.recipient_count) == ({reason: 3}, 0)
    assert (found.counted.audience_count, found.counted.segment_count, found.counted.cost_eur_cents) == (3, 0, 0)
    assert {row["Status"] for row in read_rows(house, saved)} == {reason}
    blocker = house.app.campaigns.preflighting.look(house.viewer, saved.campaign_id, house.now).blocker
    error = refuse(house, saved)
    assert blocker is not None
    assert (blocker.message, blocker.field) == (error.message, error.field)
    assert (error.message, error.field, bool(error.hint)) == ("Nobody would receive a message.", "list_id", True)


def test_a_template_is_as_long_as_what_is_sent_not_as_what_is_typed(house: House):
    # With its placeholder's name it would need an eleventh SMS; without it, it needs ten.
    message, placeholders = "x" * 1_525 + "{N}" + "y" * 4, {"N": "Blank"}
    file = contacts(2).replace("City", "City,Blank").replace("London", "London,")
    saved = save(house, house.upload(file).list_id, message=message, placeholders=placeholders)
    found = check(house, saved)
    assert (found.counted.recipient_count, found.counted.segment_count) == (2, 20)
    with pytest.raises(InvalidInput, match="needs 11 segments"):
        save(house, saved.list_ids[0], message="x" * 1_531 + "{N}", placeholders=placeholders)


def test_a_message_of_nothing_but_space_is_asked_for(house: House):
    list_id = house.upload(contacts(1)).list_id
    for message in ("", " ", "\n\t\r\n", "\u00a0\u2003\u3000", "\u2028\u2029", "\u200b \ufeff"):
        error = refuse(house, save(house, list_id, message=message))
        assert (error.message, error.field) == ("The message is empty.", "message")


def test_a_message_that_simplifying_empties_reaches_nobody(house: House):
    # A word joiner is nobody's idea of space, but nothing is left of it.
    saved = save(house, house.upload(contacts(3)).list_id, message="\u2060", simplifies=True)
    assert dict(check(house, saved).counted.excluded) == {"empty message": 3}
    assert refuse(house, saved).message == "Nobody would receive a message."


def test_a_list_is_chosen_for_one_thing_once_and_not_too_many_are(house: House):
    first, second = (house.upload(contacts(1), name).list_id for name in ("Guests", "Customers"))
    for lists, words in (
        ({"list_ids": (first,), "left_out_ids": (first,)}, "both selected and left out"),
        ({"list_ids": (first, second), "left_out_ids": (second,)}, "Customers is both selected and left out"),
        ({"list_ids": (first, first)}, "chosen twice"),
        ({"list_ids": (first,), "left_out_ids": (second, second)}, "chosen twice"),
    ):
        with pytest.raises(InvalidInput, match=words) as caught:
            save(house, "", **lists)
        assert caught.value.field == "list_id", words
    assert save(house, "", list_ids=(first,), left_out_ids=(second,))


def test_no_more_lists_are_chosen_than_there_may_be(house: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("core.services.campaigns.composing.LISTS_MAX", 2)
    first, second, third = (house.upload(contacts(1), name).list_id for name in ("Guests", "Customers", "Staff"))
    with pytest.raises(InvalidInput, match="3 lists are chosen") as caught:
        save(house, "", list_ids=(first, second), left_out_ids=(third,))
    assert (caught.value.field, "at most 2" in caught.value.hint) == ("list_id", True)
    assert save(house, "", list_ids=(first,), left_out_ids=(second,))
