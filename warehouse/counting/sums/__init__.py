"""Sums kept between two counts."""
