"""What `stability --certify` and `stationary --certify` call certified is decided here: trusted, as the checker is."""
