"""What narrows down what is shown, and goes with a page's address. Begin with `period_filter`."""
