"""Files that come and go: uploads, exports, and the pictures of pages. Begin with `uploads`."""
