A message to nobody comes back, a question to an absent site is answered soon

Anna lives in Paris
Chloé lives in Lyon
Anna's desk comes online
Chloé's phone comes online
Anna's desk says "hello?" to Nobody
Anna's desk is told service-unavailable about "hello?"

Anna's desk pings Chloé's phone: answered
Anna's desk pings Chloé's tablet: service-unavailable
the link Lyon–hub goes down
Anna's desk pings Chloé's phone: remote-server-timeout
the link Lyon–hub returns
Anna's desk pings Chloé's phone: answered
