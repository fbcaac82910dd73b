"""The worker process: `python -m jobs.worker`. It beats the pulse and runs the queue."""

import gc
import logging
import sys
import time
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType

import pyarrow as pa
from huey.consumer import Consumer

from core import logs
from core.bootstrap import App, shared_app
from core.private_files import keep_private
from jobs.app import end_waiting, huey, prepare
from jobs.doing import doing
from jobs.keeping_open import KeepingOpen
from jobs.pulse import Pulse

log = logging.getLogger(__name__)

# Between two tries to reach the stores before the first work.
WAIT_S = 1.0
# How often the main thread looks whether a signal has come; ten times a second, as Huey has it, is a cost for nothing.
SIGNAL_S = 0.5


class Worker(Consumer):
    """Huey's consumer, which ends sending after the current sub-window when it is asked to stop."""

    def __init__(self, app: App) -> None:
        """Take the application; nothing runs yet."""
        threads = app.settings.worker_threads
        super().__init__(
            huey,
            workers=threads,
            worker_type="thread",
            periodic=False,
            # Of a queue that does not answer, until it does.
            initial_delay=0.05,
            max_delay=0.2,
            # No task is ever put in for later.
            scheduler_interval=60,
            graceful_signal="TERM",
        )
        self._stop_flag_timeout = SIGNAL_S
        self._app = app
        # Two threads are kept for imports and receipts: a long campaign must not hold those up.
        self._pulse = Pulse(app.work, doing, app.clock.set, send_slots=max(1, threads - 2))
        self._keeping_open = KeepingOpen(app.accounts.gateways, app.accounts.telling.tell_as_worker)

    def start(self) -> None:
        """Start the threads, then look for work."""
        prepare(self.huey, self._app.settings.data_dir)
        super().start()
        self._pulse.start()
        self._keeping_open.start()
        log.info("worker_started", extra={"threads": self._app.settings.worker_threads})

    def stop(self, graceful: bool = False) -> None:
        """Stop finding work, end what is being sent, then stop the threads."""
        self._pulse.stop()
        self._keeping_open.stop()
        self._app.work.stop()
        self.stop_flag.set()
        end_waiting(self.huey)
        super().stop(graceful=graceful)
        log.info("worker_stopped", extra={"graceful": graceful})


def wait_for_stores(app: App) -> None:
    """Return when the state store and the queue are there and up to date; until then a restart would not help."""
    while True:
        try:
            app.state.migrate()
            app.clock.set()
            prepare(huey, app.settings.data_dir)
        except Exception as error:
            if not logs.is_outage(error):
                raise
            log.warning("store_away", exc_info=True)
            time.sleep(WAIT_S)
        else:
            logs.tell_repeats()
            return


class _NoPandas(MetaPathFinder):
    """Finds that there is no pandas."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:  # noqa: ARG002
        if name == "pandas":
            raise ModuleNotFoundError("a worker does without pandas", name=name)


def leave_out_pandas() -> None:
    """
    Let this process do without pandas, which nothing in it uses: nobody can import it from now on.

    DuckDB imports it with the first value that is bound, to know pandas' own kinds of nothing when it sees one, and
    PyArrow with the first list that becomes a column. That takes 50 MiB of memory and a third of a second.
    """
    # None in its place in sys.modules would do for Python and DuckDB, but PyArrow takes that for the module itself.
    sys.meta_path.insert(0, _NoPandas())


def give_back_memory() -> None:
    """
    Let Arrow's tables live where everything else does.

    A batch's are gone within a second, and Arrow's own allocator keeps for each thread what they took, some 30 MiB.
    """
    pa.set_memory_pool(pa.system_memory_pool())


def set_apart_what_stays() -> None:
    """
    Let the garbage collector look no more at what is there now: all that was imported, which stays as long as we do.

    Each of its full rounds went through all of it, a tenth of a second in which no thread of this process ran.
    """
    gc.collect()
    gc.freeze()


def main() -> None:
    """Run until a signal comes: SIGTERM ends after the current sub-window, SIGINT at once."""
    leave_out_pandas()
    give_back_memory()
    app = shared_app()
    keep_private(app.settings.data_dir)
    logs.configure(app.settings.log_level)
    # A line for each beat of the pulse would bury everything else.
    logging.getLogger("huey").setLevel(logging.WARNING)
    wait_for_stores(app)
    worker = Worker(app)
    set_apart_what_stays()
    worker.run()
    app.close()


if __name__ == "__main__":
    main()
