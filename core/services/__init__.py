"""What people do with Heliograph: one module per verb."""
