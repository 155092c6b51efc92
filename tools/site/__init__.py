"""The documentation as a site: `make site`, or `python -m tools.site`.

The pages are those of docs/, with what is generated from code and contracts beside them, and tutorials whose commands
are run while the site is built. Nothing of it is loaded from elsewhere when it is read.
"""
