"""Dense rows of joint counts, and which of their cells are kept."""
