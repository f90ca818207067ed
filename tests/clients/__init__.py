"""Clients that strangers generate from our OpenAPI document."""
