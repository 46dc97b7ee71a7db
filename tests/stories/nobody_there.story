A message to nobody comes back, a request to see nobody is passed over, devices answer those who may see them

Anna lives in Paris
Chloé lives in Lyon
Anna's desk comes online
Chloé's phone comes online
Anna's desk says "hello?" to Nobody
Anna's desk is told service-unavailable about "hello?"
Anna's desk asks to see Nobody
Anna's desk lists Nobody as none
Anna's desk hears nothing

Anna's desk pings Chloé's phone: service-unavailable
Anna's desk asks to see Chloé
Chloé's phone is asked by Anna
Chloé's phone lets Anna
Anna's desk sees Chloé available

Anna's desk pings Chloé's phone: answered
Anna's desk pings Chloé's tablet: service-unavailable
the link Lyon–hub goes down
Anna's desk pings Chloé's phone: remote-server-timeout
the link Lyon–hub returns
Anna's desk pings Chloé's phone: answered
