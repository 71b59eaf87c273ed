"""Programs that attempts run: each is started as a file, by a Python that has no packages."""
