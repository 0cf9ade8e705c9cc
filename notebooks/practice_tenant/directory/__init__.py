"""What the tenant knows: people, applications, service principals, and who may do what."""
