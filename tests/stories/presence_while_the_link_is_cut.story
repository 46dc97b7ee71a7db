Presence is state: after the link returns, only the newest counts

Anna lives in Paris
Chloé lives in Lyon
Anna's desk comes online
Chloé's phone comes online
Anna's desk asks to see Chloé
Chloé's phone is asked by Anna
Chloé's phone lets Anna
Anna's desk sees Chloé available

the link Lyon–hub goes down
Chloé's phone becomes away
Chloé's phone becomes dnd
Anna's desk sees Chloé available
the link Lyon–hub returns
Anna's desk sees Chloé dnd
