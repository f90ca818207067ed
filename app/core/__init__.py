"""What every layer may lean on: settings, errors, security, logging."""
