Who logs in at the wrong site is sent home

Anna lives in Paris
Chloé lives in Lyon
Chloé tries to log in at Paris and is sent to Lyon
Anna tries to log in at Lyon and is sent to Paris
