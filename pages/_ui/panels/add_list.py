"""Adding a distribution list from another page than its own."""

from pages._ui import widgets

_PAGE = "distribution_lists"


def link(*, key: str, primary: bool = False, width: str = "content") -> None:
    """Draw a button that leads to the page and opens the panel for a new list there."""
    label, icon = "Add Distribution List", ":material/add:"
    if widgets.is_followed(label, _PAGE, key=key, icon=icon, primary=primary, width=width):
        widgets.open_panel(f"{_PAGE}_add")
        widgets.go(_PAGE)
