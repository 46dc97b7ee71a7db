"""Between listeners and the core of one edge node: the seam (`ports`), its frames, and the Unix socket."""
