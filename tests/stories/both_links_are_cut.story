Both links are cut, both sides write, and everything comes in order

Anna lives in Paris
Bruno lives in Paris
Chloé lives in Lyon
Anna's desk comes online
Bruno's desk comes online
Chloé's phone comes online
the link Paris–hub goes down
the link Lyon–hub goes down
Anna's desk says "one" to Chloé
Anna's desk says "two" to Chloé
Chloé's phone says "uno" to Anna

# Inside the branch life goes on.
Anna's desk says "lunch?" to Bruno
Bruno's desk hears "lunch?" from Anna's desk

the link Lyon–hub returns
Chloé's phone hears nothing
the link Paris–hub returns
Chloé's phone hears "one" from Anna's desk
Chloé's phone hears "two" from Anna's desk
Anna's desk hears "uno" from Chloé's phone once
