"""Report → what people and other programs read: JSON, CSV, the terminal, the executed notebook."""
