import duckdb
import pytest

from core.errors import StorageError
from core.history.engine.faults import explained


@pytest.mark.parametrize(
    "said",
    [
        "Failed to get data file list from DuckLake: server closed the connection unexpectedly",
        "Failed to execute query: FATAL:  terminating connection due to administrator command",
        "Unable to connect to Postgres: connection to server on socket failed: Connection refused",
        "SSL connection has been closed unexpectedly",
        "no connection to the server",
        "Failed to query most recent snapshot for DuckLake: ERROR:  canceling statement due to lock timeout",
    ],
)
@pytest.mark.parametrize(
    "kind", [duckdb.BinderException, duckdb.CatalogException, duckdb.InvalidInputException, duckdb.TransactionException]
)
def test_a_server_that_went_away_is_no_mistake_in_our_sql(kind: type[duckdb.Error], said: str):
    with pytest.raises(StorageError, match="could not be reached"), explained():
        raise kind(said)


def test_a_mistake_in_our_sql_stays_visible():
    with pytest.raises(duckdb.BinderException), explained():
        raise duckdb.BinderException('Referenced column "sent" not found in FROM clause!')
