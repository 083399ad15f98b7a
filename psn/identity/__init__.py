"""Who somebody is: passwords, second factors, passkeys, providers, sessions, locking."""
