import math
from datetime import timedelta
from decimal import Decimal

import phonenumbers
import pytest
from sqlalchemy import update

from core.domain.accounts.pricing import ALWAYS, Price
from core.domain.campaigns.campaigns import CampaignStatus
from core.errors import InvalidInput
from core.history.audience.contacts import ContactStore
from core.services.campaigns.launching import Launching
from core.services.campaigns.preflighting import Preflighting
from core.state.accounts import accounts
from core.state.campaigns.campaigns import move_campaign
from core.state.suppressions import suppressions
from core.state.tables.models import AccountRow
from tests.support.application.campaigns import freeze, launch, now, save_draft
from tests.support.application.factories import make_origin
from tests.support.application.page_tests import House
from tests.support.stores.messages import contact_table, make_contact

LONG = "Hello {FirstName}, " + "x" * 130
CONTACTS = (
    "PhoneNumber,FirstName,City\n491796548754,Beau,London\n491796548755,Łukasz,Leeds\n491796548756,,York\n"
).encode()


def price(house: House, viewer, cents: str = "5") -> str:
    (account,) = house.app.accounts.managing.list_sending(viewer)
    with house.app.state.write() as session:
        accounts.set_prices(session, account.account_id, [Price("", "", Decimal(cents))])
    return account.account_id


def words(at) -> str:
    return "  ".join(element.value for element in (*at.error, *at.warning, *at.info, *at.success))


def tiles(at) -> dict[str, str]:
    return {tile.label: tile.value for tile in at.metric}


def test_a_run_of_the_page_looks_once_and_a_click_draws_no_rows(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def spy(owner: type, name: str) -> None:
        method = getattr(owner, name)

        def noted(*arguments):
            asked.append(name)
            return method(*arguments)

        monkeypatch.setattr(owner, name, noted)

    viewer = house.sign_in()
    price(house, viewer)
    draft = save_draft(house, viewer, list_ids=(house.upload(viewer, "Spring guests", CONTACTS).list_id,))
    for owner, names in ((Preflighting, ("read", "count", "rows")), (Launching, ("decide",))):
        for name in names:
            spy(owner, name)
    at = house.open("preflight", id=draft.campaign_id)
    assert (asked, bool(at.exception)) == (["read", "count", "rows"], False)
    asked.clear()
    at.button(key="preflight_launch").click().run()
    assert asked == ["read", "count", "decide"]
    assert house.app.campaigns.composing.get(viewer, draft.campaign_id).status is CampaignStatus.PROCESSING


def test_every_finding_leads_to_its_rows(house: House) -> None:
    viewer = house.sign_in()
    account_id = price(house, viewer)
    found = house.upload(viewer, "Spring guests", CONTACTS)
    again = house.upload(viewer, "More guests", b"PhoneNumber,FirstName\n491796548754,Beau\n491796548757,Renee\n")
    draft = save_draft(house, viewer, message=LONG, list_ids=(found.list_id, again.list_id))
    with house.app.state.write() as session:
        suppressions.add_suppressions(session, account_id, ["+491796548757"], make_origin(created_at=now()))
    at = house.open("preflight", id=draft.campaign_id)
    assert not at.exception
    assert (tiles(at)["Recipients"], tiles(at)["Segments"], tiles(at)["Cost"]) == ("3", "5", "€\u00a00.25")
    text = words(at)
    assert "needs 3\u00a0segments instead of 1 because of Ł in {FirstName}: +€\u00a00.10" in text
    assert "suppressed" in text
    assert "more than once" in text
    assert "no value for" in text
    assert len(at.dataframe[1].value) == 5
    shows = [button for button in at.button if str(button.key).startswith("preflight_show_")]
    seen = set()
    for number in range(len(shows)):
        at.button(key=f"preflight_show_{number}").click().run()
        assert not at.exception
        seen.add((at.query_params["rows"], tuple(at.dataframe[1].value["Row"])))
    assert ("widened", (3,)) in seen
    assert ("empty", (4,)) in seen
    assert ("excluded", (2,)) in seen
    assert ("excluded", (3,)) in seen


@pytest.mark.parametrize(
    ("network_count", "said"),
    [(8, []), (9, ["and 1\u00a0more network for €\u00a00.05"]), (10, ["and 2\u00a0more networks for €\u00a00.10"])],
)
def test_networks_beyond_the_table_are_counted_below_it(house: House, network_count: int, said: list[str]) -> None:
    viewer = house.sign_in()
    price(house, viewer)
    regions = ("DE", "FR", "GB", "IT", "ES", "NL", "BE", "AT", "CH", "PL")[:network_count]
    found = [phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE) for region in regions]
    rows = "".join(f"{number.country_code}{number.national_number},Beau\n" for number in found if number)
    guests = house.upload(viewer, "Spring guests", f"PhoneNumber,FirstName\n{rows}".encode())
    at = house.open("preflight", id=save_draft(house, viewer, list_ids=(guests.list_id,)).campaign_id)
    assert not at.exception
    assert [caption.value for caption in at.caption if caption.value.startswith("and ")] == said


def test_it_takes_as_long_as_the_smallest_limit_makes_it_and_says_whose_that_is(house: House) -> None:
    viewer = house.sign_in()
    draft = save_draft(house, viewer, rate_tps=1)
    at = house.open("preflight", id=draft.campaign_id)
    assert not at.exception
    (takes,) = (tile for tile in at.metric if tile.label == "Takes")
    assert takes.value == "3.0\u00a0s"
    assert "Sends at most 1 segment per second: the campaign's limit." in takes.help


def test_nothing_is_launched_beyond_the_budget(house: House) -> None:
    viewer = house.sign_in()
    account_id = price(house, viewer)
    draft = save_draft(house, viewer)
    with house.app.state.write() as session:
        accounts.set_budget(session, account_id, Decimal(14))
    at = house.open("preflight", id=draft.campaign_id)
    assert "The account's budget is not enough" in at.error[0].value
    assert at.button(key="preflight_launch").disabled
    with house.app.state.write() as session:
        accounts.set_budget(session, account_id, Decimal(15))
    at.run()
    assert not at.error
    assert not at.button(key="preflight_launch").disabled


def test_nothing_is_launched_that_costs_more_than_its_own_budget(house: House) -> None:
    viewer = house.sign_in()
    price(house, viewer)
    draft = save_draft(house, viewer, budget_eur_cents=Decimal(14))
    at = house.open("preflight", id=draft.campaign_id)
    assert at.error[0].value == (
        "**The campaign costs more than its own budget.** The budget is €\u00a00.14; €\u00a00.01 more is needed. "
        "Raise the budget in the draft, send to fewer recipients, or shorten the message."
    )
    assert at.button(key="preflight_launch").disabled


FREE = "**These messages cost nothing by the account's prices, so no budget stops them.**"


@pytest.mark.parametrize(
    ("cents", "budget", "own", "is_said"),
    [
        (None, None, Decimal(14), True),
        (None, Decimal(14), None, True),
        ("0", Decimal(14), None, True),
        (None, None, None, False),
        ("5", Decimal(500), Decimal(500), False),
    ],
)
def test_a_budget_that_can_stop_nothing_is_pointed_out(
    house: House, cents: str | None, budget: Decimal | None, own: Decimal | None, is_said: bool
) -> None:
    viewer = house.sign_in()
    (account,) = house.app.accounts.managing.list_sending(viewer)
    prices = [] if cents is None else [Price("", "", Decimal(cents))]
    with house.app.state.write() as session:
        accounts.replace_prices(session, account.account_id, prices, ALWAYS)
        accounts.set_budget(session, account.account_id, budget)
    at = house.open("preflight", id=save_draft(house, viewer, budget_eur_cents=own).campaign_id)
    assert not at.exception
    assert [item.value.startswith(FREE) for item in at.warning if "cost nothing" in item.value] == [True] * is_said
    assert not at.button(key="preflight_launch").disabled


def test_what_changed_since_is_looked_at_again(house: House) -> None:
    viewer = house.sign_in()
    price(house, viewer)
    draft = save_draft(house, viewer)
    at = house.open("preflight", id=draft.campaign_id)
    price(house, viewer, "7")
    at.button(key="preflight_launch").click().run()
    # The click looks again, but the person has not: what is launched is what was on screen.
    assert "have changed since this preflight" in at.error[0].value
    assert tiles(at)["Cost"] == "€\u00a00.21"
    assert house.app.campaigns.composing.get(viewer, draft.campaign_id).status is CampaignStatus.INACTIVE
    at.button(key="preflight_launch").click().run()
    assert house.app.campaigns.composing.get(viewer, draft.campaign_id).preflight["cost_eur_cents"] == "21.0000"


def test_the_same_list_or_text_of_today_is_pointed_out(house: House) -> None:
    viewer = house.sign_in()
    first = save_draft(house, viewer)
    launch(house, viewer, first)
    second = save_draft(house, viewer, name="Once more", list_ids=first.list_ids)
    at = house.open("preflight", id=second.campaign_id)
    assert "The same text" in words(at)
    at.button(key="preflight_show_0").click().run()
    assert at.query_params["id"] == first.campaign_id


def test_launch_leads_to_the_campaign_and_keeps_the_preflight(house: House) -> None:
    viewer = house.sign_in()
    price(house, viewer)
    draft = save_draft(house, viewer)
    at = house.open("preflight", id=draft.campaign_id)
    at.button(key="preflight_launch").click().run()
    assert not at.exception
    assert at.title[0].value == "Campaign"
    house.app.work.run_until_idle(now)
    launched = house.app.campaigns.composing.get(viewer, draft.campaign_id)
    assert launched.status is CampaignStatus.COMPLETED
    assert launched.preflight["cost_eur_cents"] == str(launched.cost_eur_cents) == "15.0000"


def test_a_draft_that_lacks_something_says_what(house: House) -> None:
    viewer = house.sign_in()
    at = house.open("preflight", id=save_draft(house, viewer, message="").campaign_id)
    assert "The message is empty" in at.error[0].value


def test_a_campaign_that_was_launched_elsewhere_is_not_launched_again(house: House) -> None:
    viewer = house.sign_in()
    draft = save_draft(house, viewer)
    at = house.open("preflight", id=draft.campaign_id)
    with house.app.state.write() as session:
        move_campaign(session, draft.campaign_id, CampaignStatus.PROCESSING, launched_at=now())
    at.button(key="preflight_launch").click().run()
    assert "launched a moment ago" in at.error[0].value


def test_what_is_not_sent_has_no_price(house: House) -> None:
    viewer = house.sign_in()
    account_id = price(house, viewer)
    found = house.upload(viewer, "Spring guests", CONTACTS)
    draft = save_draft(house, viewer, list_ids=(found.list_id,))
    with house.app.state.write() as session:
        suppressions.add_suppressions(session, account_id, ["+491796548755"], make_origin(created_at=now()))
    at = house.open("preflight", id=draft.campaign_id)
    rows = at.dataframe[-1].value
    prices = dict(zip(rows["Row"], rows["Price [EUR c]"], strict=True))
    assert [number for number, cents in prices.items() if math.isnan(cents)] == [3]
    assert rows["Excluded"].tolist().count("suppressed") == 1


def test_the_preflight_of_a_launched_campaign_cannot_launch_it_again(house: House) -> None:
    viewer = house.sign_in()
    draft = save_draft(house, viewer)
    at = house.open("preflight", id=draft.campaign_id)
    assert "preflight_launch" in [button.key for button in at.button]
    launch(house, viewer, draft)
    at = house.open("preflight", id=draft.campaign_id)
    assert not at.exception
    assert "preflight_launch" not in [button.key for button in at.button]


def test_what_a_placeholder_would_put_in_unseen_is_pointed_out(house: House) -> None:
    viewer = house.sign_in()
    price(house, viewer)
    rows = "491796548754,#N/A\n491796548755,null\n491796548756,B\u200feau\u00a0\n491796548757,Anna\n"
    found = house.upload(viewer, "Spring guests", f"PhoneNumber,FirstName\n{rows}".encode())
    # Lists that were imported before such cells counted as empty still have them.
    fields = [["", cell] for cell in ("#N/A", "null", "B\u200feau\u00a0", "Anna")]
    numbers = [f"+49179654875{digit}" for digit in (4, 5, 6, 7)]
    contacts = [
        make_contact(row, msisdn=n, fields=f) for row, (n, f) in enumerate(zip(numbers, fields, strict=True), 2)
    ]
    ContactStore(house.app.lake).replace(found.list_id, [contact_table(*contacts)])
    draft = save_draft(house, viewer, message="Hi {{FirstName}}, " + "x" * 90, list_ids=(found.list_id,))
    at = house.open("preflight", id=draft.campaign_id)
    text = words(at)
    assert r"**\{\{FirstName\}\}** has too many braces: **\{…\}** will be sent" in text
    assert "**2\u00a0recipients** have “\\#N/A”, “null” for {FirstName}, and will be sent exactly that" in text
    assert r"because of no\-break space, right\-to\-left mark in {FirstName}" in text
    shows = [b for b in at.button if str(b.key).startswith("preflight_show_")]
    seen = set()
    for button in shows:
        at.button(key=button.key).click().run()
        seen.add((at.query_params["rows"], tuple(at.dataframe[1].value["Row"])))
    assert ("no_value", (2, 3)) in seen


def test_a_draft_whose_time_has_passed_is_not_launched_from_here(house: House) -> None:
    viewer = house.sign_in()
    price(house, viewer)
    draft = save_draft(house, viewer, schedule_at=now() - timedelta(minutes=1))
    at = house.open("preflight", id=draft.campaign_id)
    assert "The schedule time is in the past" in words(at)
    assert at.button(key="preflight_launch").disabled
    with pytest.raises(InvalidInput, match="in the past"):
        launch(house, viewer, draft)


def test_nothing_is_left_where_campaigns_under_way_need_more_than_there_is(house: House) -> None:
    viewer = house.sign_in()
    account_id = price(house, viewer)
    first = save_draft(house, viewer)
    freeze(house, viewer, first)
    draft = save_draft(house, viewer, name="Another one", list_ids=first.list_ids)
    with house.app.state.write() as session:
        accounts.set_budget(session, account_id, Decimal(4))
    at = house.open("preflight", id=draft.campaign_id)
    assert not at.exception
    (cost,) = (tile for tile in at.metric if tile.label == "Cost")
    assert cost.delta == "of €\u00a00.00 left"
    said = at.error[0].value
    assert "campaigns under way have still to send, nothing is left this month; €\u00a00.26 more is needed" in said


def test_it_says_which_way_the_campaign_goes(house: House) -> None:
    viewer = house.sign_in()
    draft = save_draft(house, viewer)

    def said() -> str:
        at = house.open("preflight", id=draft.campaign_id)
        assert not at.exception
        return next(caption.value for caption in at.caption if "route" in caption.value)

    one_way = "Goes from the account **Simulator** through the gateway **simulator**"
    limit = "Sends at most 1\u202f000 segments per second: the account's limit."
    assert said() == f":material/route: {one_way}. {limit}"
    with house.app.state.write() as session:
        session.execute(update(AccountRow).values(fallback_gateway="Second way"))
    assert said() == f":material/route: {one_way}, or through **Second way** where that one does not take it. {limit}"
    at = house.open("campaign", id=draft.campaign_id)
    (details,) = (table.value.iloc[:, 0] for table in at.table if "Account" in table.value.index)
    assert (details["Account"], details["Gateway"]) == ("Simulator", "simulator, otherwise Second way")
