"""
Forgetting: everything that is over has somebody who deletes it.

`Forgetting` goes through a table of kinds, each with what deletes it when its time has come; `build` of the room above
writes it. What is in both stores goes in this order: a mark in the state store, then the lake's rows, then the mark or
its row. So a worker that dies halfway, or a lake that does not answer, leaves a mark for the next one.
"""

from core.services.upkeep.forgetting.forgetting import Forgettable, Forgetting

__all__ = ["Forgettable", "Forgetting"]
