"""What is set up before Streamlit serves the first page. Begin with `many_people`."""
