"""What people agreed to, per contact point, channel and text."""
