"""The OpenAPI document against the service: what it promises is what is answered."""
