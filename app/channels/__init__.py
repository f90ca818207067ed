"""The world, outbound: one module per way to reach a person, each a `base.Sender`.

A channel takes plain values and messages and gives outcomes. It reads no setting and knows
no database; whoever builds it decides where it points.
"""
