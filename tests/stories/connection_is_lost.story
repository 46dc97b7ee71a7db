A lost connection is resumed, and nobody has seen it

Anna lives in Paris
Chloé lives in Lyon
Anna's desk comes online
Chloé's phone comes online with stream management
Anna's desk asks to see Chloé
Chloé's phone is asked by Anna
Chloé's phone lets Anna
Anna's desk sees Chloé available

Chloé's phone loses its connection
Anna's desk says "in the tunnel?" to Chloé
Anna's desk sees Chloé available
Chloé's phone resumes
Chloé's phone hears "in the tunnel?" once

# The tunnel may be too long.
Chloé's phone loses its connection
Anna's desk says "still there?" to Chloé
601 seconds pass
Anna's desk sees Chloé unavailable
Chloé's home comes online
Chloé's home hears "still there?" once
