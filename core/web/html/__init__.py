"""The pages served without Streamlit, and what is added to its own. Begin with `pages`."""
