"""Side-by-side measurements against peers, each runnable by one command; see README.md."""
