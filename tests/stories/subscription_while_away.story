A request waits until its recipient comes, and may be refused

Anna lives in Paris
David lives in Lyon
Anna's desk comes online
Anna's desk asks to see David
Anna's desk lists David as none

David's phone comes online
David's phone is asked by Anna
David's phone goes offline
# It has not been answered, so it comes again.
David's phone comes online
David's phone is asked by Anna
David's phone refuses Anna
Anna's desk sees David unavailable
