"""What people do with Heliograph: one folder per capability, one module per verb."""
