Both archives have the conversation, whoever was there

Anna lives in Paris
Chloé lives in Lyon
Anna's desk comes online
Anna's desk says "I write to nobody" to Chloé
the link Paris–hub goes down
Anna's desk says "from my island" to Chloé
Anna's desk finds "I write to nobody", "from my island" in the archive
Anna's desk says "forget this" to Chloé, no-store
the link Paris–hub returns
# It may not be kept, and nobody is there to hear it.
Anna's desk is told service-unavailable about "forget this"

Chloé's phone comes online
Chloé's phone hears "I write to nobody"
Chloé's phone hears "from my island"
Chloé's phone says "here I am" to Anna
Anna's desk hears "here I am"
Chloé's phone finds "I write to nobody", "from my island", "here I am" in the archive
Anna's desk finds "I write to nobody", "from my island", "here I am" in the archive
