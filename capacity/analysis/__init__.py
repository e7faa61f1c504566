"""Frames in; statistics, tables and figures out."""
