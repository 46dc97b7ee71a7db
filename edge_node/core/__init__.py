"""The core process of an edge node: sessions over connections, and what they may ask for."""
