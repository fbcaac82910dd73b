"""Naps of a sender that take no time but the house's own."""

from datetime import timedelta

from tests.support.application.house import House


class Naps:
    """Stands where the stop event stands, and is never set."""

    def __init__(self, house: House) -> None:
        self._house = house

    def is_set(self) -> bool:
        return False

    def wait(self, seconds: float) -> bool:
        self._house.wait(timedelta(seconds=seconds))
        return False
