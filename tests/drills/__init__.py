"""Drills: what the product does when a disk, a power supply or a user ends its work at the worst moment."""
