"""Any HTTP interface that takes one message a request, described by settings. Begin with `form`."""
