"""Meridian Travel, an invented company: whom it writes to, from which accounts, about what."""

from dataclasses import dataclass
from decimal import Decimal

from core.domain.accounts.accounts import AccountType
from core.domain.people.people import UserStatus


@dataclass(frozen=True)
class DemoAccount:
    """A traffic account; *share* is of the traffic that no campaign makes, *source* as messages carry it."""

    key: str
    name: str
    display_name: str
    account_type: AccountType
    gateway: str
    source: str
    senders: tuple[str, ...]
    share: float


@dataclass(frozen=True)
class Colleague:
    """Somebody else on the Users page, with one of the preset roles; nobody can log in as him or her."""

    key: str
    name: str
    preset: str
    status: UserStatus
    accounts: tuple[str, ...]

    @property
    def email(self) -> str:
        """Where no mail ever arrives (RFC 2606)."""
        return f"{self.key}@meridian.example"


@dataclass(frozen=True)
class NumberRange:
    """Mobile numbers that begin with *prefix* (country code first) and have *digits* in all; *weight* is relative."""

    prefix: str
    digits: int
    weight: float
    price_eur_cents: Decimal


@dataclass(frozen=True)
class DemoList:
    """A distribution list; *share* is of the company's message count, *duplicate_pct* of its rows."""

    key: str
    name: str
    account: str
    share: float
    duplicate_pct: float


@dataclass(frozen=True)
class DemoCampaign:
    """A campaign that was sent *days_ago* at *hour* (UTC)."""

    key: str
    name: str
    sender_id: str
    list_key: str
    days_ago: int
    hour: int
    message: str

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The placeholders of the message, each named as its column."""
        return tuple(name for name in ("FirstName", "City") if f"{{{name}}}" in self.message)


ACCOUNTS = (
    DemoAccount("marketing", "meridian-marketing", "Meridian Marketing", AccountType.CAMPAIGN, "simulator", "", (), 0),
    DemoAccount("service", "meridian-service", "Meridian Service", AccountType.CAMPAIGN, "simulator", "", (), 0),
    DemoAccount(
        "booking", "meridian-booking", "Booking Engine", AccountType.HTTP, "", "api", ("MERIDIAN", "Bookings"), 0.62
    ),
    DemoAccount("otp", "meridian-otp", "Sign-in Codes", AccountType.SMPP, "", "api", ("MERIDIAN", "VERIFY"), 0.38),
)

COLLEAGUES = (
    Colleague("mira.novak", "Mira Novak", "Campaign manager", UserStatus.ACTIVE, ("marketing", "service")),
    Colleague("jonas.lind", "Jonas Lind", "Reporting manager", UserStatus.ACTIVE, ("marketing", "booking", "otp")),
    Colleague("aylin.demir", "Aylin Demir", "User manager", UserStatus.PENDING, ("service",)),
    Colleague("tom.becker", "Tom Becker", "Campaign manager", UserStatus.INACTIVE, ("marketing",)),
)

# All numbers of a range belong to one network. The subscribers are drawn; nothing can reach them, because the
# company's accounts are on the simulator or belong to systems that do not exist.
RANGES = (
    NumberRange("491512", 13, 9, Decimal("7.2000")),
    NumberRange("49172", 12, 7, Decimal("7.4000")),
    NumberRange("49179", 12, 8, Decimal("7.1000")),
    NumberRange("447400", 12, 6, Decimal("3.1000")),
    NumberRange("447500", 12, 5, Decimal("3.2500")),
    NumberRange("33612", 11, 6, Decimal("4.5000")),
    NumberRange("33660", 11, 5, Decimal("4.6500")),
    NumberRange("346060", 11, 4, Decimal("5.8000")),
    NumberRange("346555", 11, 4, Decimal("5.7500")),
    NumberRange("39347", 12, 5, Decimal("5.2000")),
    NumberRange("39333", 12, 4, Decimal("5.3500")),
    NumberRange("48501", 11, 4, Decimal("2.6000")),
    NumberRange("48602", 11, 3, Decimal("2.5500")),
    NumberRange("43664", 12, 3, Decimal("6.1000")),
    NumberRange("41791", 11, 3, Decimal("6.9000")),
    NumberRange("31612", 11, 3, Decimal("8.1000")),
    NumberRange("32475", 11, 2, Decimal("7.9000")),
    NumberRange("351912", 12, 2, Decimal("3.9000")),
    NumberRange("46702", 11, 2, Decimal("4.9000")),
    NumberRange("420602", 12, 2, Decimal("4.2000")),
    NumberRange("905321", 12, 3, Decimal("1.1000")),
    NumberRange("30694", 12, 2, Decimal("5.1000")),
)

LISTS = (
    DemoList("newsletter", "Newsletter subscribers", "marketing", 0.055, 1.2),
    DemoList("frequent", "Frequent travellers", "marketing", 0.030, 0.4),
    DemoList("city", "City break prospects", "marketing", 0.040, 2.5),
    DemoList("summer", "Summer 2026 guests", "service", 0.034, 0.8),
    DemoList("crew", "Tour guides and crew", "service", 0.007, 0.0),
)

CAMPAIGNS = (
    DemoCampaign(
        "c01",
        "Autumn early birds",
        "MERIDIAN",
        "newsletter",
        84,
        9,
        "Hello {FirstName}, autumn in {City} from 129 EUR. Book by Sunday: meridian.example/autumn",
    ),
    DemoCampaign(
        "c02",
        "Guide briefing",
        "MERIDIAN",
        "crew",
        77,
        6,
        "Dear {FirstName}, the briefing moves to Monday 08:30. Please confirm with your office.",
    ),
    DemoCampaign(
        "c03",
        "Lounge access for members",
        "MERIDIAN",
        "frequent",
        66,
        10,
        "{FirstName}, your lounge pass is active in {City}. Show this message at the desk.",
    ),
    DemoCampaign(
        "c04",
        "City break weekend",
        "CityBreaks",
        "city",
        58,
        15,
        "48 hours only: city breaks from {City} at half price. meridian.example/city",
    ),
    DemoCampaign(
        "c05",
        "How was your summer?",
        "MERIDIAN",
        "summer",
        49,
        11,
        "Hi {FirstName}, thank you for travelling with us. Two questions: meridian.example/review",
    ),
    DemoCampaign(
        "c06",
        "October newsletter",
        "MERIDIAN",
        "newsletter",
        40,
        9,
        "Hello {FirstName}, three new routes from {City} this winter: meridian.example/winter",
    ),
    DemoCampaign(
        "c07",
        "Platinum invitations",
        "MERIDIAN",
        "frequent",
        31,
        12,
        "{FirstName}, we have kept a seat for you at our evening in {City}. Reply YES to join.",
    ),
    DemoCampaign(
        "c08",
        "Schedule change",
        "Bookings",
        "summer",
        22,
        7,
        "Dear {FirstName}, your feedback mattered: direct flights from {City} are back. meridian.example/direct",
    ),
    DemoCampaign(
        "c09",
        "Ski season opener",
        "MERIDIAN",
        "newsletter",
        13,
        16,
        "❄️ {FirstName}, the slopes are open! Trains from {City} from 59 EUR: meridian.example/ski",
    ),
    DemoCampaign(
        "c10",
        "Last seats to the sea",
        "CityBreaks",
        "city",
        6,
        14,
        "Last seats from {City} to the sea this month. meridian.example/last",
    ),
    DemoCampaign(
        "c11",
        "Members' Monday",
        "MERIDIAN",
        "frequent",
        1,
        9,
        "{FirstName}, double miles on every trip from {City} until midnight. meridian.example/miles",
    ),
)

DRAFT = DemoCampaign(
    "draft",
    "Winter sale",
    "MERIDIAN",
    "newsletter",
    0,
    0,
    "Hello {FirstName}, our winter sale has begun. Trips from {City}: meridian.example/sale",
)

FIRST_NAMES = (
    "Ada",
    "Beau",
    "Carla",
    "Dmitri",
    "Elif",
    "Farid",
    "Greta",
    "Hugo",
    "Inès",
    "Jakub",
    "Katarzyna",
    "Lars",
    "Mónica",
    "Nils",
    "Olga",
    "Paolo",
    "Quentin",
    "Renée",
    "Sofia",
    "Tomasz",
    "Ursula",
    "Viktor",
    "Wanda",
    "Zoë",
)
CITIES = (
    "Berlin",
    "Hamburg",
    "München",
    "London",
    "Leeds",
    "Paris",
    "Lyon",
    "Madrid",
    "Sevilla",
    "Roma",
    "Milano",
    "Kraków",
    "Wien",
    "Zürich",
    "Utrecht",
    "Gent",
    "Porto",
    "Malmö",
    "Brno",
    "Athens",
)
COLUMNS = ("PhoneNumber", "FirstName", "City", "Reference")

# Share of a day's traffic by hour (UTC): quiet nights, a peak before noon and one in the early evening.
HOURS = (6, 4, 3, 3, 4, 9, 22, 45, 70, 85, 90, 82, 74, 70, 72, 76, 80, 84, 78, 60, 44, 30, 18, 10)
# Monday to Sunday.
WEEKDAYS = (1.08, 1.05, 1.02, 1.04, 1.15, 0.78, 0.66)
