"""Twilio's Messages resource. Begin with `gateway`."""
