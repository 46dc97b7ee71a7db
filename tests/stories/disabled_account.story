A disabled account is out at once, and nothing sent to it meanwhile is lost

Anna lives in Paris
Chloé lives in Lyon
Anna's desk comes online
Chloé's phone comes online
Chloé is disabled
Chloé's phone is thrown out: not-authorized
Chloé may not log in

Chloé is enabled again
Chloé may log in
Anna's desk says "welcome back" to Chloé
Chloé's phone comes online
Chloé's phone hears "welcome back" once
