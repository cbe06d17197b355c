"""Files of other systems: orders, customers, profiles and events, one signal for each row."""
