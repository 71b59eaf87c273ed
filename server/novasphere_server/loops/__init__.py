"""Keeps things moving: small periodic steps under one supervisor."""
