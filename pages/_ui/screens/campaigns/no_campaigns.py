"""What stands on the page of campaigns until there is one."""

from pages._ui import widgets

KEY = "campaigns"


def show() -> None:
    """Say what to do, and lead there."""
    with widgets.empty_state(
        ":material/campaign:",
        "No campaigns yet",
        "Write a message, choose a distribution list, and watch it being sent.",
    ):
        widgets.link(
            "Write the first one", "create_campaign", key=f"{KEY}_first", icon=":material/edit_square:", primary=True
        )
