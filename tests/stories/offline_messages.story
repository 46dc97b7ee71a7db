What is sent to somebody who is away waits at home

Anna lives in Paris
Bruno lives in Paris
Chloé lives in Lyon
Anna's desk comes online
Anna's desk says "one" to Bruno
Anna's desk says "uno" to Chloé
Anna's desk says "two" to Bruno

Bruno's desk comes online
Bruno's desk hears "one" from Anna's desk
Bruno's desk hears "two" from Anna's desk
Bruno's desk goes offline
Bruno's desk comes online
Bruno's desk hears nothing

Chloé's phone comes online
Chloé's phone hears "uno" from Anna's desk once
