"""Pages of a list: what is asked for, what comes back."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class PageRequest:
    """Page *page* (from 1) of *size* items whose name contains *search*, in the order of *sort*."""

    page: int = 1
    size: int = 10
    search: str = ""
    sort: str = "created_at"
    descending: bool = True

    @property
    def offset(self) -> int:
        """How many items come before the page."""
        return (max(1, self.page) - 1) * self.size


@dataclass(frozen=True)
class Page(Generic[T]):
    """The items of one page and how many there are on all pages."""

    items: tuple[T, ...]
    total: int
