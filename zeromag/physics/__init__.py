"""Laws shared by simulation and mapping: conductors, heart, sensors, room."""
