"""The stages of the recipe for a machine with a GPU."""
