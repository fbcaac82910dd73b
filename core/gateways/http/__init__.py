"""What gateways over HTTP share: requests and answers, submitting, callbacks. Begin with `gateway`."""
