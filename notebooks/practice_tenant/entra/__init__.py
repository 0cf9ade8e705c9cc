"""Entra ID: discovery, tokens for programs and for people."""
