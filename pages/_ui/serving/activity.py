"""Which websocket messages mean that a person did something."""

from google.protobuf.message import DecodeError
from streamlit.proto.BackMsg_pb2 import BackMsg


def is_user_activity(content: bytes) -> bool:
    """
    Return whether *content*, a message from Streamlit's browser side, was caused by a person.

    A rerun is, unless the browser marks it as the tick of a fragment with `run_every`; heartbeats, file
    addresses and lazily loaded rows are not.
    """
    message = BackMsg()
    try:
        message.ParseFromString(content)
    except DecodeError:
        return False
    return message.WhichOneof("type") == "rerun_script" and not message.rerun_script.is_auto_rerun
