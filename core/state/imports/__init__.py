"""Rows of what people bring in: lists, files of traffic, and whose the uploads are. Begin with `lists`."""
