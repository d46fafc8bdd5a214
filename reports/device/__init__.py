"""What a machine has, and the acceptance run on a real device."""
