"""Components of our own, where Streamlit has none: JavaScript and CSS in files beside their Python."""
