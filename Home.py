"""The ASGI launcher: `streamlit run Home.py`."""

import os
from pathlib import Path

import streamlit as st

from core import logs, web
from core.bootstrap import shared_app
from core.private_files import keep_private
from core.turns import Turns
from core.web.guard.proxies import warn_of_second_trust
from core.web.guard.slow_requests import end_slow_requests
from pages._ui.open_pages import open_pages
from pages._ui.serving.activity import is_user_activity
from pages._ui.serving.kept_elements import name_what_is_kept
from pages._ui.serving.many_people import serve_many
from pages._ui.serving.opened_anew import begin_with_whole_pages

heliograph = shared_app()
keep_private(heliograph.settings.data_dir)
logs.configure(heliograph.settings.log_level)
warn_of_second_trust(os.environ)
end_slow_requests()
serve_many(Turns())
begin_with_whole_pages()
name_what_is_kept()

# Streamlit finds this assignment by reading the source: it has to stay a literal call. The main script must not
# lie beside pages/, or Streamlit would run any of its files for whoever asks, before the frame has a say.
app = st.App(
    Path(__file__).parent / "pages" / "_ui" / "frame.py",
    lifespan=web.lifespan(
        heliograph.reports.reporting.warm_up, heliograph.clock.keep_set, heliograph.accounts.telling.keep_telling
    ),
    routes=web.routes(heliograph, clock=heliograph.clock),
    middleware=web.middleware(heliograph, is_user_activity=is_user_activity, pages=open_pages, clock=heliograph.clock),
)
