Every device has the whole conversation

Anna lives in Paris
Chloé lives in Lyon
Anna's desk comes online with carbons
Anna's phone comes online with priority -1, carbons
Chloé's home comes online
Anna's desk says "lunch?" to Chloé
Chloé's home hears "lunch?" from Anna's desk
Anna's phone gets a copy of "lunch?", sent

Chloé's home says "at noon" to Anna's desk
Anna's desk hears "at noon" from Chloé's home
Anna's phone gets a copy of "at noon", received

# What is marked private goes to one device only.
Chloé's home says "the code is 7" to Anna's desk, private
Anna's desk hears "the code is 7" from Chloé's home
Anna's phone hears nothing
