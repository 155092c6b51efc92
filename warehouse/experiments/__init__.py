"""What goes to `ml`, and what comes back."""
