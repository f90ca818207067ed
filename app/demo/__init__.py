"""The demo: two teams in two time zones, some weeks that they have behind them, and a bad night."""
