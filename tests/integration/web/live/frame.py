"""A page with one of everything whose loading a security policy might forbid, and a fragment that ticks."""

import plotly.graph_objects as go
import streamlit as st

st.title("Inside")
st.plotly_chart(go.Figure(go.Bar(x=["DE", "FR"], y=[3, 2])), key="chart")
st.dataframe({"country": ["DE", "FR"], "sent": [3, 2]}, key="table")
st.file_uploader("Contacts", key="contacts")
st.button("Click me", key="click")
st.html("<script>document.body.dataset.script = 'ran'</script>", unsafe_allow_javascript=True)
component = st.components.v2.component(
    "test_component",
    html="<p id='from-component'></p>",
    css="#from-component { color: rgb(1, 2, 3); }",
    js="export default ({parentElement}) => { parentElement.querySelector('p').textContent = 'component ran'; }",
)
component(key="component")


@st.fragment(run_every=0.2)
def ticker() -> None:
    """Count ticks where a test can see them."""
    st.session_state.ticks = st.session_state.get("ticks", 0) + 1
    st.text(f"ticks: {st.session_state.ticks}")


ticker()
