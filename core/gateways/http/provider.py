"""What a provider's folder has to say: what is asked of it, and what its answers mean."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from core.domain.messages.messages import OutboundMessage
from core.gateways.http.client import ApiAnswer, ApiRequest
from core.gateways.http.verdicts import Refusal, Verdict


class Provider(Protocol):
    """How one provider is asked, and how its answers are read. Threads share it."""

    @property
    def per_request(self) -> int:
        """How many messages a request takes at most."""
        ...

    def cut(self, messages: Sequence[OutboundMessage]) -> Iterable[Sequence[OutboundMessage]]:
        """Yield all *messages*, those of one request together."""
        ...

    def write(self, batch: Sequence[OutboundMessage]) -> ApiRequest:
        """Return the request that hands *batch* over."""
        ...

    def read(self, batch: Sequence[OutboundMessage], answer: ApiAnswer) -> Sequence[Verdict] | Refusal:
        """Return what the answer says of each message of *batch*, in order, or of the whole."""
        ...
