"""What keeps a home running: schedules, flows as processes, clean-up."""
