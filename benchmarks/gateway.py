"""How many messages a second the simulator takes into its durable log."""

import argparse
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import uuid_utils

from benchmarks.report import Case, measured
from core.domain.messages.messages import OutboundMessage, SubmitOutcome
from core.gateways.simulator.gateway import Behavior, SimulatorGateway


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say what can be chosen."""
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--window", type=int, default=500)


def run(options: argparse.Namespace) -> int:
    """Submit windows of messages one after the other; 1 when the log does not hold what was answered."""
    messages = [
        OutboundMessage(str(uuid_utils.uuid7()), f"+49179{index:07d}", "BENCH", "Hello", "gsm7", 1, "26201")
        for index in range(options.messages)
    ]
    accepted_count = 0
    with tempfile.TemporaryDirectory(prefix="heliograph-gateway-") as folder:
        gateway = SimulatorGateway(Path(folder) / "simulator.sqlite", Behavior(seed=1, max_tps=100_000_000))
        with measured(Case("gateway", f"simulator, windows of {options.window}", len(messages))):
            for start in range(0, len(messages), options.window):
                results = gateway.submit(messages[start : start + options.window], datetime.now(UTC))
                accepted_count += sum(result.outcome is not SubmitOutcome.REJECTED for result in results)
        return 0 if gateway.journal.count_accepted() == accepted_count else 1
