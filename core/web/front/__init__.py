"""
Several web processes behind one address.

Streamlit keeps a page's state, uploads and pictures in the memory of one process, so whatever a browser asks has to
reach the same one: its place. Begin with `listening.py`, which looks at who comes and hands the connection over to a
place; `places.py` starts the places and starts them anew, `serving.py` is what runs in one, `in_place.py` keeps a
browser there.
"""
