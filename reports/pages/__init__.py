"""What all pages and pictures are made of."""
