"""`chappe chat`: a terminal client: contacts, presence, conversations with history, on several devices at once."""
