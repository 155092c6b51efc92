"""Loading models, and reading their layers."""
