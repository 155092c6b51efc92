"""The ground floor: errors, settings, processes, progress."""
