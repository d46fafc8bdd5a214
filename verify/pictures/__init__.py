"""Pictures: how they look, and axes that are drawn from documents."""
