"""The practice portal: pages on which an app is registered by hand, over the tenant's own Graph."""
