"""The launcher of the test site: the real web room around a small frame and a fake sign-in."""

import os
from datetime import UTC, datetime
from pathlib import Path

import streamlit as st

from core import web
from pages._ui.open_pages import open_pages
from pages._ui.serving.activity import is_user_activity
from tests.support.fakes.file_sign_in import file_application

application = file_application(Path(os.environ["SESSIONS_FOLDER"]))


def clock() -> datetime:
    return datetime.now(UTC)


app = st.App(
    Path(__file__).parent / "frame.py",
    routes=web.routes(application, clock=clock),
    middleware=web.middleware(
        application, is_user_activity=is_user_activity, pages=open_pages, clock=clock, watch_period_s=0.2
    ),
)
