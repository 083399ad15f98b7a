"""Short messages: how texts become them, and sessions with the centres that take them.

Whatever is sent by SMS (warnings, orders) goes through here; nothing here knows what it says.
"""
