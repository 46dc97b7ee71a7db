The newer of two with the same resource stays

Anna lives in Paris
Bruno lives in Paris
Anna's desk comes online
Bruno's desk comes online
Anna's desk comes online
Anna's desk is thrown out: conflict
Bruno's desk says "which of you?" to Anna's desk
Anna's desk hears "which of you?" once
