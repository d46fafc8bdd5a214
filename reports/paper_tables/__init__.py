"""The paper's Tables 1-5, trained again beside the printed ones."""
