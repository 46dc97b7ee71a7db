Two people of different sites let each other see their presence

Anna lives in Paris
Chloé lives in Lyon
Anna's desk comes online
Chloé's phone comes online
Anna's desk asks to see Chloé
Anna's desk lists Chloé as none
Chloé's phone is asked by Anna
Chloé's phone lets Anna
Anna's desk lists Chloé as to
Anna's desk sees Chloé available
Chloé's phone lists Anna as from

Chloé's phone asks to see Anna
Anna's desk is asked by Chloé
Anna's desk lets Chloé
Chloé's phone lists Anna as both
Chloé's phone sees Anna available

Chloé's phone becomes away
Anna's desk sees Chloé away
Anna's desk goes offline
Chloé's phone sees Anna unavailable
