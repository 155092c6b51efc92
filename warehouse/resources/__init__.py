"""Files that commands need: the dbt project, the profiles and presets, the deployments.

They stand at the repository's root, where people and tools look for them; the entries here are links to them, which a
wheel holds as ordinary files. Ask `warehouse.base.shipped` for a path.
"""
