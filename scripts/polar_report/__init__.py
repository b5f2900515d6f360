"""Draws the report of a run: data.py reads the run's folder, plots.py draws, page.py writes the page."""
