"""The client side of the hub's administration service, and the commands over it."""
