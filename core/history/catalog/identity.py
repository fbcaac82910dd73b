"""
Whose lake it is: the installation and its catalog both know, and agree before anything is read or written.

A lake without an identity of its own would be made anew wherever its catalog is not found, and maintained as if all its
files were nobody's. So a catalog that is missing, empty, damaged or another's is said, and nothing is made.
"""

from typing import Protocol

from core.history.catalog.catalog import Catalog, PostgresCatalog, SqliteCatalog, foreign, missing, unclaimed
from core.history.catalog.location import Location
from core.history.engine.door import Instance
from core.identifiers import new_id


class LakeRegister(Protocol):
    """What the installation knows of its lake. Every method raises `StorageError`: the state store does not answer."""

    def find(self) -> str:
        """Return the lake's id, "" when there is none yet."""

    def find_begun(self) -> str:
        """Return the id under which a lake was begun, "" when none was."""

    def begin(self, lake_id: str) -> str:
        """Note that a lake is being made under this id. Returns: The id noted first, when there was one before."""

    def finish(self, lake_id: str) -> None:
        """Note that the lake is there."""


class Unregistered:
    """For a lake that belongs to no installation, such as a test's: it is whatever its catalog says."""

    def find(self) -> str:
        """Know none."""
        return ""

    def find_begun(self) -> str:
        """Know none."""
        return ""

    def begin(self, lake_id: str) -> str:
        """Know nothing that came before."""
        return lake_id

    def finish(self, lake_id: str) -> None:
        """Forget it."""


class Identity:
    """Compares what the installation and the catalog say."""

    def __init__(self, location: Location, register: LakeRegister | None) -> None:
        self._location = location
        self._register: LakeRegister = register or Unregistered()
        self._anybodys = register is None
        self._token: object = None
        self._found = ""
        self.catalog: Catalog = (
            PostgresCatalog(location.catalog) if location.catalog else SqliteCatalog(location.catalog_file)
        )

    def check(self, *, thoroughly: bool = False) -> None:
        """
        Look whether the catalog is the installation's; nothing is created.

        Raises: StorageError: it is missing, empty, damaged or another's; the sentence says which, and what to do.
        """
        self._judge(self._register.find(), self.catalog.find_identity(thoroughly=thoroughly))

    def begin(self, instance: Instance) -> bool:
        """
        Look again, as the only writer, and note that a lake is being made if there was none.

        Returns: Whether the catalog may be created.
        Raises: StorageError: as `check`; or there is no catalog, but files of one.
        """
        known, found = self._register.find(), self.catalog.find_identity()
        self._judge(known, found)
        if found is None and self._location.has_files(instance):
            raise missing(self.catalog.place)
        self._found = found or ""
        return not known and found is None

    def finish(self) -> None:
        """Let installation and catalog know each other, after `begin`; the catalog is attached and up to date."""
        if not self._register.find():
            # What `begin` found: nobody else can have written since, and looking takes another instance.
            lake_id = self._found or self._register.begin(new_id())
            if not self._found:
                self.catalog.write_identity(lake_id)
            self._register.finish(lake_id)
        self._token = self.catalog.token()

    def adopt(self) -> None:
        """
        Take the catalog that is there for the installation's, whatever either said before.

        Raises: StorageError: there is none, or it is damaged.
        """
        found = self.catalog.find_identity(thoroughly=True)
        if found is None:
            raise missing(self.catalog.place)
        lake_id = found or new_id()
        if not found:
            self.catalog.write_identity(lake_id)
        self._register.finish(lake_id)

    def is_replaced(self) -> bool:
        """Return whether another file has been put in the place of the one that `finish` saw."""
        return self.catalog.token() != self._token

    def _judge(self, known: str, found: str | None) -> None:
        if self._anybodys:
            return
        if known:
            if found is None:
                raise missing(self.catalog.place)
            if found != known:
                raise foreign(self.catalog.place)
        elif found and found != self._register.find_begun():
            raise unclaimed(self.catalog.place)
