Who gets a message is a matter of priorities (RFC 6121, section 8.5)

Anna lives in Paris
Chloé lives in Lyon
Anna's desk comes online with priority 5
Anna's phone comes online with priority 0
Anna's robot comes online with priority -1
Chloé's home comes online

# To the account: every resource that does not say no.
Chloé's home says "all of you" to Anna
Anna's desk hears "all of you"
Anna's phone hears "all of you"
Anna's robot hears nothing

# To a resource: that one, whatever its priority.
Chloé's home says "you there" to Anna's robot
Anna's robot hears "you there" once
Anna's desk hears nothing

# To a resource that is not there: as if to the account.
Chloé's home says "tablet?" to Anna's tablet
Anna's desk hears "tablet?"
Anna's phone hears "tablet?"

# With only a negative priority left, the account is away.
Anna's desk goes offline
Anna's phone goes offline
Chloé's home says "anybody?" to Anna
Anna's robot hears nothing
Anna's phone comes online
Anna's phone hears "anybody?" once
