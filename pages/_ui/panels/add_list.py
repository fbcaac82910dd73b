"""Adding a distribution list from another page than its own."""

from pages._ui import widgets

STEM, LABEL = "distribution_lists", "Add Distribution List"


def link(*, key: str, primary: bool = False, width: str = "content") -> None:
    """Draw a button that leads to the page and opens the panel for a new list there."""
    if widgets.is_followed(LABEL, STEM, key=key, icon=":material/add:", primary=primary, width=width):
        widgets.open_panel(f"{STEM}_add")
        widgets.go(STEM)
