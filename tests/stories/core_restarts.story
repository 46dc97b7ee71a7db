A core dies, and those who were there go on where they were

Anna lives in Paris
Chloé lives in Lyon
Anna's desk comes online
Chloé's phone comes online with stream management
Anna's desk says "before" to Chloé
Chloé's phone hears "before"
Chloé's phone loses its connection
Anna's desk says "between" to Chloé
the core of Lyon dies and starts again
Anna's desk says "after" to Chloé
Chloé's phone resumes
Chloé's phone hears "between"
Chloé's phone hears "after" once
