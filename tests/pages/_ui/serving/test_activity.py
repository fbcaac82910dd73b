import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState

from pages._ui.serving.activity import is_user_activity


@pytest.mark.parametrize(
    ("message", "active"),
    [
        (BackMsg(rerun_script=ClientState(query_string="id=42")), True),
        (BackMsg(rerun_script=ClientState(fragment_id="f")), True),
        (BackMsg(rerun_script=ClientState(fragment_id="f", is_auto_rerun=True)), False),
        (BackMsg(app_heartbeat=True), False),
        (BackMsg(stop_script=True), False),
        (BackMsg(), False),
    ],
)
def test_only_reruns_a_person_caused_are_activity(message: BackMsg, active: bool) -> None:
    assert is_user_activity(message.SerializeToString()) is active


def test_garbage_is_not_activity() -> None:
    assert not is_user_activity(b"\xff\xff not a message")
