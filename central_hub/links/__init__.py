"""Connected sites: the shells between links and the pure parts."""
