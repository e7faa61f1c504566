"""python -m capacity.compress: its command line, commands, comparison of codecs and listings."""
