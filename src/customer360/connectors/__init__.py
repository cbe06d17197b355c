"""What joins other systems to this one: sources that signals come from, channels that messages leave by."""
