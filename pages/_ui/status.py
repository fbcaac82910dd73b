"""
The status words on screen: an icon and a color for each.

The word itself is always shown beside them: color never speaks alone.
"""

from collections.abc import Mapping

# Word -> (Material icon, Streamlit color name).
BADGES: Mapping[str, tuple[str, str]] = {
    "Ready": ("check_circle", "green"),
    "To Map": ("rule", "orange"),
    "In Progress": ("sync", "blue"),
    "Faulted": ("error", "red"),
    "Inactive": ("draft", "gray"),
    "Scheduled": ("schedule", "blue"),
    "Processing": ("hourglass_top", "orange"),
    "Active": ("send", "violet"),
    "Paused": ("pause_circle", "orange"),
    "Canceled": ("cancel", "gray"),
    "Completed": ("task_alt", "green"),
    "Submitted": ("outbox", "blue"),
    "Delivered": ("done_all", "green"),
    "Undelivered": ("error", "red"),
    "Pending": ("mail", "orange"),
    "Working": ("check_circle", "green"),
    "Failing": ("error", "red"),
    "Not connected": ("link_off", "orange"),
    "Takes nothing": ("do_not_disturb_on", "orange"),
    "Test failed": ("error", "red"),
    "Not tried yet": ("help", "gray"),
}

# The same colors for the pills of a table, which take no names. Black and white text both reach a
# contrast of 4.5:1 nowhere at once; these are dark enough for white.
_PILLS = {
    "green": "#1F7A4D",
    "blue": "#2F62B5",
    "red": "#B3363B",
    "orange": "#96590C",
    "violet": "#6750D8",
    "gray": "#65626F",
}
COLORS: Mapping[str, str] = {word: _PILLS[color] for word, (_, color) in BADGES.items()}
