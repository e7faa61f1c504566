"""How many bits a data set holds, how many a trained network holds, and how few store it."""

__version__ = "0.1.0"
