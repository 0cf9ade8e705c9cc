"""Microsoft Graph: every operation that is played, and what all of them share."""
