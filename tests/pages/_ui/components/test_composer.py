from streamlit.testing.v1 import AppTest


def write(text: str, replacement: str) -> None:
    import streamlit as st  # noqa: PLC0415 - AppTest runs this function as a script of its own

    from pages._ui.components.composer import Preview, composer, position, replace  # noqa: PLC0415

    if replacement:
        replace("message", replacement)
    composition = composer(key="message", value=text, preview=Preview("ACME", "Sale", {"Name": "Beau"}, 1, 3))
    st.text(f"{composition.text}|{composition.position}|{position('message')}")


def run(at: AppTest, text: str, replacement: str = "") -> str:
    at.args = (text, replacement)
    at.run()
    assert not at.exception
    return at.text[0].value


def test_starting_text_does_not_come_back_over_the_kept_one() -> None:
    at = AppTest.from_function(write, args=("", ""))
    assert run(at, "Hello {Name}") == "Hello {Name}|1|1"
    assert run(at, "An older draft") == "Hello {Name}|1|1"


def test_replaced_text_stays() -> None:
    at = AppTest.from_function(write, args=("", ""))
    run(at, "Hello")
    assert run(at, "Hello", "Another draft") == "Another draft|1|1"
    assert run(at, "Hello") == "Another draft|1|1"
