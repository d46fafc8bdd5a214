"""What proposes evidence: floats, searches, anything. Nothing here is relied upon."""
