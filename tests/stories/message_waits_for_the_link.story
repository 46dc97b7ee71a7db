A message waits for the link, and crosses once

Anna lives in Paris
Chloé lives in Lyon
Anna's desk comes online
Chloé's phone comes online
Anna's desk says "good morning" to Chloé
Chloé's phone hears "good morning" from Anna's desk

the link Lyon–hub goes down
Anna's desk says "are you there?" to Chloé
Chloé's phone hears nothing
Anna's desk hears nothing

the link Lyon–hub returns
Chloé's phone hears "are you there?" from Anna's desk once
