"""What a browser calls itself, in words its owner recognises."""

# In this order: most browsers also claim to be those below them.
_PROGRAMS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"), ("CriOS/", "Chrome"))
_LATER_PROGRAMS = (("Chrome/", "Chrome"), ("Safari/", "Safari"), ("curl/", "curl"))
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def describe_agent(agent: str) -> str:
    """Return for example "Firefox on Windows" for a User-Agent header; "Unknown browser" when nothing is known."""
    program = next((name for part, name in (*_PROGRAMS, *_LATER_PROGRAMS) if part in agent), "")
    system = next((name for part, name in _SYSTEMS if part in agent), "")
    if not program and not system:
        return "Unknown browser"
    return f"{program or 'A browser'} on {system}" if system else program
