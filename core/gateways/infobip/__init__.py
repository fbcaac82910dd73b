"""Infobip's SMS API, version 3. Begin with `gateway`."""
