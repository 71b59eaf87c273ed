"""Translates: servicers, the one call pipeline, and the page that registers them all."""
