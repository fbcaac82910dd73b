"""What an SMS campaign is made of: values and rules, no I/O."""
